#!/bin/sh
# The seed's load script, without its 30 s between calls: N calls to the function URL. Counts the answers
# that are right.
set -eu
url=${1%/}
calls=${2:-50}
good=0
for i in $(seq 1 "$calls"); do
	answer=$(curl -sS -m 30 -X POST "$url/twilio/voice" -H 'Content-Type: application/x-www-form-urlencoded' \
		-d "CallSid=TEST_$i&From=%2B14165551234") || answer=
	case $answer in
	*"<Say>Hello +14165551234, this is Bella. You are at turn 1.</Say>"*) good=$((good + 1)) ;;
	*) echo "call $i: $answer" >&2 ;;
	esac
done
echo "$good of $calls calls answered"
[ "$good" = "$calls" ]
