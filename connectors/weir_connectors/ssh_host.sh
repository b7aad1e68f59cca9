# Runs a script on the host and takes care of its end: see ssh_script.py, which puts the values of this connection in
# front of it. Any POSIX shell. Standard output carries the report; standard error what is said about it.

say() { printf '\036%s %s\n' "$weir_token" "$*" >&4; }
mark() { printf '\036%s\n' "$weir_token"; } # where the report begins, and where it ends

give() { # number path
  if [ -f "$2" ] && [ -r "$2" ]; then
    say file "$1"
    head -c "$weir_most" <"$2" >&4
  else
    say lost "$1"
  fi
}

# What shells say about killed processes is for nobody.
exec 3<&0 4>&2 </dev/null 2>/dev/null
say begin
mark

mkdir -m 700 "$weir_dir" || { say folder; exit 0; }
script >"$weir_dir/script" && record >"$weir_dir/record" || { rm -rf "$weir_dir"; say folder; exit 0; }
# Made by us: we may read them whoever the interpreter runs as.
for weir_name in $weir_names; do : >"$weir_dir/var.$weir_name"; done

weir_stopping=
trap 'weir_stopping=1' USR1 TERM HUP

# Again and again: a signal that comes just before `wait` would be lost.
insist() { while kill -USR1 "$$"; do sleep 1; done; }

# Where the network is gone without a word, time still passes.
(
  sleep "$weir_seconds" &
  echo "$!" >"$weir_dir/timer"
  wait "$!"
  insist
) 3<&- 4>&- </dev/null >/dev/null &
weir_timer=$!

# What the script starts is stopped with it: a session of its own, or else the one that the SSH server made for us.
if command -v setsid >/dev/null; then
  setsid "$@" "$weir_dir/script" 3<&- 4>&- </dev/null 2>&1 &
  group=-$!
else
  "$@" "$weir_dir/script" 3<&- 4>&- </dev/null 2>&1 &
  if kill -0 "-$$"; then group=-$$; else group=$!; fi
fi
child=$!

# The connection is the script's life line: its end, wanted or not, is the end of standard input.
(
  cat <&3 >/dev/null
  exec 3<&-
  insist
) 4>&- </dev/null >/dev/null &
line=$!
exec 3<&-
trap '' PIPE

wait "$child"
code=$?
if [ "$weir_stopping" ]; then
  kill -TERM "$group" || kill -TERM "$child"
  for second in 1 2 3; do
    kill -0 "$group" || break
    sleep 1
  done
  rm -rf "$weir_dir/script"
  [ "$group" = "-$$" ] && rm -rf "$weir_dir" # we are in it too
  kill -KILL "$group"
  wait "$child"
  code=$?
fi
# By force: a process that has just begun may not hear anything else yet.
for try in 1 2 3 4 5 6 7 8 9; do
  [ -s "$weir_dir/timer" ] && break
  sleep 0.1 || sleep 1
done
kill -KILL "$line" "$weir_timer"
kill -KILL "$(cat "$weir_dir/timer")"

mark
say end "$code"
for weir_name in $weir_names; do
  if [ -s "$weir_dir/var.$weir_name" ]; then
    say var "$weir_name"
    head -c "$weir_most" <"$weir_dir/var.$weir_name" >&4
  fi
done
[ "$code" -eq 0 ] && [ -z "$weir_stopping" ] && files
rm -rf "$weir_dir"
say done
exit 0
