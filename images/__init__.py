"""How Weir's images are made: by a Docker engine, or by buildah on a base of debootstrap's."""
