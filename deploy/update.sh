#!/usr/bin/env bash
# Updates an installation of containers, and rolls back what does not come up well. Runs on the host, as root.
#
#   update.sh nightly            what the timer runs: when AUTOMATIC_UPDATES=true, the newest release of the channel
#   update.sh requests           what the timer runs: what somebody asked for by `mailstead update now|rollback`
#   update.sh now [VERSION]      update to VERSION (v1.2.3), or to the newest of the channel
#   update.sh rollback           back to the version before; --restore also puts the data of before in place
#   update.sh status             where it stands
#   update.sh install            make and start the timers (systemd)
#
# It works in the folder of docker-compose-self-hosted.yml and .env (MAILSTEAD_HOME, else the folder of this script).
# .env says IMAGE, IMAGE_TAG, UPDATE_CHANNEL (latest, or a version to stay at) and AUTOMATIC_UPDATES.
#
# An update: the services are well; a backup; the new version tries that backup's data aside; all stop; a last backup;
# the new version migrates; services start one by one and must become healthy. Whatever fails on the way ends with the
# version of before running. Its data go back to the last backup only if the new version had changed their schema. What
# is under way is written to update.state, so that an update which was cut off is rolled back by the next run.
set -euo pipefail

home=${MAILSTEAD_HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}
export COMPOSE_FILE=${MAILSTEAD_COMPOSE_FILE:-$home/docker-compose-self-hosted.yml}
state=$home/update.state
health_seconds=${MAILSTEAD_HEALTH_SECONDS:-180}
# a container that has just begun has no health yet
health_form='{{if .Config.Healthcheck}}{{if .State.Health}}{{.State.Health.Status}}{{else}}starting{{end}}{{else}}{{.State.Status}}{{end}}'
least_free=${MAILSTEAD_LEAST_FREE_KIB:-2097152}

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }

if docker compose version >/dev/null 2>&1; then
  compose() { (cd "$home" && docker compose "$@"); }
else
  compose() { (cd "$home" && docker-compose "$@"); }
fi

setting() { # NAME [DEFAULT]: from .env
  local found
  found=$(sed -n "s/^$1=//p" "$home/.env" | tail -n 1)
  printf '%s' "${found:-${2:-}}"
}

put_setting() { # NAME VALUE: into .env, at once
  local temporary
  temporary=$(mktemp "$home/.env.XXXXXX")
  chmod 600 "$temporary"
  { grep -v "^$1=" "$home/.env" || true; printf '%s=%s\n' "$1" "$2"; } >"$temporary"
  sync "$temporary"
  mv "$temporary" "$home/.env"
}

write_state() { # PHASE FROM TO BACKUP [SERVICE...]
  local temporary=$state.new
  printf 'phase=%s\nfrom=%s\nto=%s\nbackup=%s\nat=%s\nservices=%s\n' \
    "$1" "$2" "$3" "$4" "$(date +%s)" "${*:5}" >"$temporary"
  sync "$temporary"
  mv "$temporary" "$state"
}

state_of() { sed -n "s/^$1=//p" "$state" 2>/dev/null || true; }

services() { # of Mailstead, in the order they start in: who keeps data first, who takes mail last
  local all service
  all=" $(compose config --services | tr '\n' ' ') "
  for service in scheduler storage web api metrics imap pop3 managesieve caldav carddav smtp mx router; do
    case $all in *" $service "*) printf '%s\n' "$service" ;; esac
  done
}

container_of() { # SERVICE: its container's id, empty without one; asked of the engine, for compose takes a second to answer
  docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.service=$1" \
    --filter "label=com.docker.compose.project.working_dir=$home" --filter label=com.docker.compose.oneoff=False | head -n 1
}

running() { # the services that have a container
  local service
  for service in $(services); do
    [ -z "$(container_of "$service")" ] || printf '%s\n' "$service"
  done
}

healthy() { # SERVICE: becomes healthy in time
  local service=$1 container status="" deadline=$((SECONDS + health_seconds))
  while [ $SECONDS -lt $deadline ]; do
    container=$(container_of "$service")
    if [ -n "$container" ]; then
      status=$(docker inspect -f "$health_form" "$container")
      case $status in
        healthy | running) return 0 ;;
        unhealthy | exited | dead) break ;;
      esac
    fi
    sleep 1
  done
  say "$service is not healthy: ${status:-no container}"
  return 1
}

inside() { docker exec -i "$(container_of scheduler)" mailstead "$@"; } # in the scheduler that runs; hears what is given
once() { compose run --rm --no-deps -T scheduler "$@"; } # in a container of its own, of the tag in .env
once_of() { # TAG COMMAND...: of another tag
  local tag=$1
  shift
  IMAGE_TAG=$tag once "$@"
}

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

tell() { # OUTCOME TEXT: for `mailstead update status`, and for the administrators when it failed
  say "$1: $2"
  printf '{"outcome": "%s", "text": "%s", "version": "%s", "previous": "%s", "channel": "%s"}' \
    "$1" "${2//\"/}" "$(setting IMAGE_TAG latest)" "$(state_of from)" "$(setting UPDATE_CHANNEL latest)" |
    inside update exchange >/dev/null || say "the administrators could not be told"
}

stop_all() { # who takes mail first
  local service container
  for service in $(services | tac); do
    container=$(container_of "$service")
    [ -z "$container" ] || docker stop --time 20 "$container" >/dev/null
  done
}

start_all() { # SERVICE...: one by one, each healthy before the next
  local service
  for service in "$@"; do
    compose up -d --no-deps "$service" >/dev/null 2>&1 || { say "$service does not start"; return 1; }
    healthy "$service" || return 1
  done
  for service in "$@"; do healthy "$service" || return 1; done # still, now that all run
}

version_of() { # IMAGE: its tag by what it says of itself, with or without the v
  local version
  version=$(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.version"}}' "$1")
  [ -n "$version" ] && printf 'v%s' "${version#v}"
}

pin() { # what runs as `latest` gets the name of its version: `latest` is another image as soon as it is pulled
  local image running tag
  [ "$(setting IMAGE_TAG latest)" = latest ] || return 0
  image=$(setting IMAGE ghcr.io/mailstead/mailstead)
  running=$(docker inspect -f '{{.Image}}' "$(container_of scheduler)")
  tag=$(version_of "$running") || tag=before-update
  docker tag "$running" "$image:$tag"
  put_setting IMAGE_TAG "$tag"
}

resolve() { # VERSION or empty: prints the tag, with its image here
  local image wanted=$1 tag
  image=$(setting IMAGE ghcr.io/mailstead/mailstead)
  wanted=${wanted:-$(setting UPDATE_CHANNEL latest)}
  docker pull -q "$image:$wanted" >/dev/null 2>&1 || docker image inspect "$image:$wanted" >/dev/null 2>&1 || {
    say "there is no image $image:$wanted"
    return 1
  }
  tag=$wanted
  if [ "$wanted" = latest ]; then
    tag=$(version_of "$image:latest") || { say "$image:latest does not say its version"; return 1; }
    docker tag "$image:latest" "$image:$tag"
  fi
  printf '%s' "$tag"
}

same_image() { # TAG TAG
  local image
  image=$(setting IMAGE ghcr.io/mailstead/mailstead)
  [ "$(docker image inspect -f '{{.Id}}' "$image:$1")" = "$(docker image inspect -f '{{.Id}}' "$image:$2" 2>/dev/null)" ]
}

schemas() { once_of "$1" migrate --versions --json; } # TAG: the schema versions it writes

go_back() { # FROM TO BACKUP [SERVICE...]: FROM runs again; from here on nothing may fail quietly
  local from=$1 to=$2 backup=$3
  shift 3
  stop_all
  if [ -n "$backup" ] && [ "$(schemas "$from")" != "$(schemas "$to")" ]; then
    say "the data go back to backup $backup; those of now are kept as a backup, too"
    once_of "$to" backup run --json >/dev/null || say "the data of now could not be backed up"
    once_of "$from" backup restore "$backup" --yes --json >/dev/null
  fi
  put_setting IMAGE_TAG "$from"
  start_all "$@"
  write_state idle "$from" "$from" ""
}

update() { # VERSION or empty
  local from to there backup
  pin
  from=$(setting IMAGE_TAG)
  to=$(resolve "$1") || { tell failed "no such release: ${1:-$(setting UPDATE_CHANNEL latest)}"; return 1; }
  if same_image "$from" "$to"; then
    [ "$from" = "$to" ] || put_setting IMAGE_TAG "$to"
    tell current "$to is what runs"
    return 0
  fi
  mapfile -t there < <(running)
  for service in "${there[@]}"; do
    healthy "$service" || { tell failed "nothing was changed: $service was not healthy before"; return 1; }
  done
  [ "$(df -Pk "$home" | awk 'NR == 2 {print $4}')" -ge "$least_free" ] ||
    { tell failed "nothing was changed: too little free space"; return 1; }
  say "from $from to $to"
  backup=$(inside backup run --json </dev/null | field id) || { tell failed "nothing was changed: no backup could be made"; return 1; }
  once_of "$to" migrate --rehearse "$backup" >/dev/null ||
    { tell failed "nothing was changed: $to cannot take over a copy of the data"; return 1; }

  write_state stopped "$from" "$to" "" "${there[@]}"
  stop_all
  if ! backup=$(once backup run --json | field id); then
    go_back "$from" "$to" "" "${there[@]}"
    tell failed "no last backup could be made; $from runs again"
    return 1
  fi
  write_state switched "$from" "$to" "$backup" "${there[@]}"
  put_setting IMAGE_TAG "$to"
  if once migrate >/dev/null && start_all "${there[@]}"; then
    write_state idle "$from" "$to" "$backup"
    tell updated "from $from to $to"
    return 0
  fi
  go_back "$from" "$to" "$backup" "${there[@]}"
  tell failed "$to did not come up well; $from runs again"
  return 1
}

roll_back() { # [--restore]: to the version before the last update
  local from to backup there
  from=$(state_of from) to=$(setting IMAGE_TAG latest) backup=$(state_of backup)
  if [ -z "$from" ] || [ "$from" = "$to" ]; then
    tell failed "there is no version before this one"
    return 1
  fi
  mapfile -t there < <(running)
  if [ "$(schemas "$from")" != "$(schemas "$to")" ] && [ "${1:-}" != --restore ]; then
    tell failed "$from cannot read the data of $to; update.sh rollback --restore puts those of before in place"
    return 1
  fi
  write_state switched "$from" "$to" "$backup" "${there[@]}"
  go_back "$from" "$to" "$backup" "${there[@]}"
  tell "rolled back" "from $to to $from"
}

recover() { # an update was cut off: back
  local phase from to there
  phase=$(state_of phase)
  [ -n "$phase" ] && [ "$phase" != idle ] || return 0
  from=$(state_of from) to=$(state_of to)
  say "the update from $from to $to was cut off"
  read -ra there <<<"$(state_of services)"
  go_back "$from" "$to" "$(state_of backup)" "${there[@]}"
  tell failed "the update to $to was cut off; $from runs again"
}

requests() {
  local wanted
  wanted=$(printf '{}' | inside update exchange) || return 0
  case $(printf '%s' "$wanted" | field action) in
    now) update "$(printf '%s' "$wanted" | field version)" ;;
    rollback) roll_back ;;
  esac
}

install_timers() {
  local unit=/etc/systemd/system
  for name in nightly requests; do
    printf '[Unit]\nDescription=Mailstead: %s updates\n\n[Service]\nType=oneshot\nExecStart=%s %s\n' \
      "$name" "$home/update.sh" "$name" >"$unit/mailstead-update-$name.service"
  done
  printf '[Unit]\nDescription=Mailstead: updates at night\n\n[Timer]\nOnCalendar=*-*-* 01:00:00\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n' \
    >"$unit/mailstead-update-nightly.timer"
  printf '[Unit]\nDescription=Mailstead: updates that were asked for\n\n[Timer]\nOnBootSec=2min\nOnUnitInactiveSec=2min\n\n[Install]\nWantedBy=timers.target\n' \
    >"$unit/mailstead-update-requests.timer"
  systemctl daemon-reload
  systemctl enable --now mailstead-update-nightly.timer mailstead-update-requests.timer
}

main() {
  [ -f "$home/.env" ] || { say "there is no .env in $home"; exit 2; }
  case ${1:-} in
    status) cat "$state" 2>/dev/null || echo "phase=idle"; return ;;
    install) install_timers; return ;;
    nightly | requests | now | rollback) ;;
    *) sed -n '2,20s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  exec 9>"$home/update.lock"
  flock -n 9 || { say "an update is under way"; exit 1; }
  recover
  case $1 in
    nightly) [ "$(setting AUTOMATIC_UPDATES false)" != true ] || update "" ;;
    requests) requests ;;
    now) update "${2:-}" ;;
    rollback) roll_back "${2:-}" ;;
  esac
}

main "$@"
