"""The server: answers runners, keeps their journals, and shows people what became of their runs."""
