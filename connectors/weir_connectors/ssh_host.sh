# Runs a script on the host and takes care of its end: see ssh_script.py, which puts the values of this connection in
# front of it. Any POSIX shell. Standard output carries the report; standard error what is said about it.

say() { printf '\036%s %s\n' "$token" "$*" >&2; }
mark() { printf '\036%s\n' "$token"; } # where the report begins, and where it ends

give() { # number path
  if [ -f "$2" ] && [ -r "$2" ]; then
    say file "$1"
    head -c "$most" <"$2" >&2
  else
    say lost "$1"
  fi
}

say begin
mark
exec 3<&0 </dev/null

mkdir -m 700 "$dir" 2>/dev/null || { say folder; exit 0; }
script >"$dir/script" 2>/dev/null && record >"$dir/record" 2>/dev/null || { rm -rf "$dir"; say folder; exit 0; }
# Made by us: we may read them whoever the interpreter runs as.
for name in $names; do : >"$dir/var.$name"; done

stopping=
trap 'stopping=1' USR1 TERM HUP

# What the script starts is stopped with it: a session of its own, or else the one that the SSH server made for us.
if command -v setsid >/dev/null 2>&1; then
  setsid "$@" "$dir/script" 3<&- </dev/null 2>&1 &
  group=-$!
else
  "$@" "$dir/script" 3<&- </dev/null 2>&1 &
  if kill -s 0 -- "-$$" 2>/dev/null; then group=-$$; else group=$!; fi
fi
child=$!

# Again and again: a signal that comes just before `wait` would be lost.
insist() { while kill -s USR1 "$$" 2>/dev/null; do sleep 1; done; }

# The connection is the script's life line: its end, wanted or not, is the end of standard input.
(cat <&3 >/dev/null; exec 3<&-; insist) </dev/null >/dev/null 2>&1 &
line=$!
# Where the network is gone without a word, time still passes.
(trap 'kill "$nap"; exit' TERM; sleep "$seconds" & nap=$!; wait "$nap"; insist) 3<&- </dev/null >/dev/null 2>&1 &
timer=$!
exec 3<&-
trap '' PIPE

wait "$child"
code=$?
if [ "$stopping" ]; then
  kill -s TERM -- "$group" 2>/dev/null || kill -s TERM "$child" 2>/dev/null
  for second in 1 2 3; do
    kill -s 0 -- "$group" 2>/dev/null || break
    sleep 1
  done
  rm -rf "$dir/script"
  [ "$group" = "-$$" ] && rm -rf "$dir" # we are in it too
  kill -s KILL -- "$group" 2>/dev/null
  wait "$child"
  code=$?
fi
kill -s TERM "$timer" "$line" 2>/dev/null

mark
say end "$code"
for name in $names; do
  if [ -s "$dir/var.$name" ]; then
    say var "$name"
    head -c "$most" <"$dir/var.$name" >&2
  fi
done
[ "$code" -eq 0 ] && [ -z "$stopping" ] && files
rm -rf "$dir"
say done
exit 0
