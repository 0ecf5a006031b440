#!/bin/sh
# A complete worker in POSIX shell and curl. It follows docs/worker-contract.md: claim, work, report, obey the answers.
# Usage: shell_worker.sh COMMAND ARGUMENT...
set -u
: "${MESSAGE?}" "${CONTAINER_NAME?}" "${MAYFLY_JOB_ID?}" "${MAYFLY_ATTEMPT?}"
: "${MAYFLY_REPORT_URL:?}" "${MAYFLY_REPORT_TOKEN:?}"

folder=$(mktemp -d) || exit 70
trap 'rm -rf "$folder"' EXIT
# The token goes to curl in a file that only this user can read, because other users can see arguments.
(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$MAYFLY_REPORT_TOKEN" >"$folder/curl")
unset MAYFLY_REPORT_TOKEN

claim=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')
give_up=$(($(date +%s) + ${MAYFLY_REPORT_SECONDS:-900}))

post() { # the body is in $folder/body; sets $status, 000 if there was no answer
    status=$(curl --silent --max-time 30 --config "$folder/curl" --output "$folder/answer" \
        --dump-header "$folder/head" --write-out '%{http_code}' --header 'Content-Type: application/json' \
        --data-binary "@$folder/body" "$MAYFLY_REPORT_URL") || status=000
}

report() { # send until answered; returns 0 to continue and 1 if rejected, and exits for every other answer
    pause=1
    while :; do
        post
        case $status in
        200 | 202) return 0 ;;
        409 | 410) exit 0 ;;
        401 | 403) echo "report: $status" >&2 && exit 77 ;;
        400 | 413 | 422) return 1 ;;
        esac
        after=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]\{1,6\}\).*/\1/p' "$folder/head" 2>/dev/null | head -n 1)
        [ "${after:-0}" -gt "$pause" ] && pause=$after
        [ $(($(date +%s) + pause)) -gt "$give_up" ] && echo "report: $status, gave up" >&2 && exit 75
        sleep "$pause"
        pause=$((pause < 5 ? pause * 2 : 10))
    done
}

json_text() { # escapes standard input for a JSON string; anything but printable ASCII becomes a question mark
    LC_ALL=C tr -c '\n\t -~' '?' | LC_ALL=C sed 's/\\/\\\\/g; s/"/\\"/g; s/	/\\t/g; s/$/\\n/' | tr -d '\n'
}

printf '{"type":"started","claim":"%s"}' "$claim" >"$folder/body"
report || exit 70

printf '{"type":"progress","claim":"%s","sequence":1,"fraction":null,"message":"begun"}' "$claim" >"$folder/body"
post
case $status in 409 | 410) exit 0 ;; 401 | 403) exit 77 ;; esac

command=
stopped=
trap 'stopped=yes; [ -z "$command" ] || kill -TERM "$command" 2>/dev/null' TERM INT
"$@" </dev/null >"$folder/output" 2>&1 &
command=$!
[ -z "$stopped" ] || kill -TERM "$command" # the signal came before there was a command to pass it on to
wait "$command"
code=$?
while kill -0 "$command" 2>/dev/null; do # a signal ends `wait` early
    wait "$command"
    code=$?
done
cat "$folder/output"

result=$(sed -n 's/^::result //p' "$folder/output" | tail -n 1)
tail=$(tail -c 8000 "$folder/output" | json_text)
usage='"usage":{"cpu_s":0,"memory_peak_bytes":0}'
failed() { # class, message, output tail
    printf '{"type":"finished","claim":"%s","outcome":"failed","exit_code":%d,"error":{"class":"%s","message":"%s"},' \
        "$claim" "$code" "$1" "$2" >"$folder/body"
    printf '"output_tail":"%s",%s}' "$3" "$usage" >>"$folder/body"
}
if [ -n "$stopped" ]; then
    failed terminated "stopped by a signal" "$tail"
elif [ "$code" -eq 127 ]; then
    failed command_not_found "the command was not found" "$tail"
elif [ "$code" -eq 126 ]; then
    failed not_executable "the command cannot be run" "$tail"
elif [ "$code" -gt 128 ]; then
    failed signal "killed by signal $((code - 128))" "$tail"
elif [ "$code" -ne 0 ]; then
    failed exit "the command exited with code $code" "$tail"
else
    printf '{"type":"finished","claim":"%s","outcome":"succeeded","exit_code":0,"result":%s,"output_tail":"%s",%s}' \
        "$claim" "${result:-null}" "$tail" "$usage" >"$folder/body"
fi
report && exit 0
# Rejected: the outcome must not be lost, so report as little as possible.
if [ "$code" -eq 0 ] && [ -z "$stopped" ]; then
    failed result_invalid "the report with this result was rejected" ""
else
    failed worker "the report was rejected; the command exited with code $code" ""
fi
report || exit 70
