#!/usr/bin/env bash
# Sets up Mailstead on a host with containers, and takes care of it: Debian 12 and 13, Ubuntu 22.04 and 24.04, as root.
#
#   bash <(curl -fsSL https://raw.githubusercontent.com/mailstead/mailstead/main/deploy/setup.sh)
#
# Every question has a flag, --yes asks none, --dry-run changes nothing and tells what would be done. Running it again does
# only what lacks: a value in .env, a firewall rule, a file that is as it should be stays. The host's resolver is left alone.
set -euo pipefail

usage() {
  cat <<'TEXT'
setup.sh [ITEM] [OPTION...]
Items: initial, backups, updates, certificates, restore, status, help; a menu when none is named.
  --domain NAME        the domain that mail is for
  --hostname NAME      the name of this host, which the domain's MX record names (mail.DOMAIN)
  --folder DIR         where .env and the compose file are kept (/opt/mailstead)
  --version TAG        the version: v1.2.3, or latest
  --image NAME         the image without its tag
  --profiles LIST      mail,storage: everything; mail: forwarding only
  --dns-provider URL   publishes DNS records and proves names: cloudflare://TOKEN@, digitalocean://TOKEN@,
                       route53://KEY:SECRET@, rfc2136://KEYNAME:SECRET@ADDRESS
  --acme DIRECTORY     who certifies the names: letsencrypt, the URL of another ACME directory, or off
  --contact ADDRESS    whom that authority writes to
  --publish            publish the DNS records through it now
  --repository PLACE   where backups go: s3:https://HOST/BUCKET, sftp:..., or a folder
  --backup ID          restore: the backup's id, or latest
  --everything         restore: replace all data here, or those of a new host, which is prepared for it first
  --mailbox ADDRESS    restore: bring back what this mailbox lost
  --set NAME=VALUE     one more setting for .env; may be repeated
  --source DIR|URL     where the compose file and the router's configuration come from (beside this script, else GitHub)
  --no-firewall        leave the firewall alone
  --no-pull            use the images that are here
  --skip-checks        go on although a check of the host fails
  --yes                ask nothing
  --dry-run            change nothing, tell what would be done
TEXT
}

item="" domain="" hostname="" folder=/opt/mailstead version="" image="" profiles="" provider="" source_of_files=""
acme=letsencrypt contact="" repository="" backup=latest mailbox="" everything=false
yes=false dry_run=false firewall=true pull=true checks=true publish=false
extra=()

say() { printf '%s\n' "$*"; }
note() { printf '  %s\n' "$*"; }
fail() { printf 'setup.sh: %s\n' "$*" >&2; exit 1; }

act() { # WHAT COMMAND...: carries out, or only tells
  local what=$1
  shift
  if $dry_run; then note "would: $what"; else note "do: $what"; "$@"; fi
}

have() { command -v "$1" >/dev/null 2>&1; }

ask() { # VARIABLE QUESTION DEFAULT: unless it is known, or nothing is to be asked
  local -n variable=$1
  [ -z "$variable" ] || return 0
  if $yes || [ ! -t 0 ]; then
    variable=$3
  else
    read -r -p "$2 [$3]: " variable
    variable=${variable:-$3}
  fi
}

confirm() { # QUESTION: no, where nothing is to be asked
  local answer
  if $yes || [ ! -t 0 ]; then return 1; fi
  read -r -p "$1 [y/N]: " answer
  [[ $answer == [yY]* ]]
}

# ---- .env

setting() { # NAME: its value in .env, empty when there is none
  [ ! -f "$folder/.env" ] || sed -n "s/^$1=//p" "$folder/.env" | tail -n 1
}

given() { # NAME: what --set says of it, else .env
  local value
  for value in "${extra[@]}"; do
    if [ "${value%%=*}" = "$1" ]; then printf '%s' "${value#*=}" && return; fi
  done
  setting "$1"
}

add_setting() { # NAME VALUE: in the place of the value before
  local temporary
  temporary=$(mktemp "$folder/.env.XXXXXX")
  chmod 600 "$temporary"
  { grep -v "^$1=" "$folder/.env" 2>/dev/null || true; printf '%s=%s\n' "$1" "$2"; } >"$temporary"
  sync "$temporary"
  mv "$temporary" "$folder/.env"
}

keep_or_add() { # NAME VALUE [secret]: a value that is there is never replaced
  local shown=$2
  [ -z "$(setting "$1")" ] || return 0
  [ -n "$2" ] || return 0
  [ "${3:-}" != secret ] || shown="(a new secret)"
  act "set $1=$shown in $folder/.env" add_setting "$1" "$2"
}

change() { # NAME VALUE [secret]: what was asked for now replaces what is there
  local shown=$2
  [ "$(setting "$1")" != "$2" ] || return 0
  [ "${3:-}" != secret ] || shown="(what was given)"
  act "set $1=$shown in $folder/.env" add_setting "$1" "$2"
  changed=true
}

secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# ---- checks of the host

problem() { # TEXT
  problems=$((problems + 1))
  note "problem: $1"
}

warning() { note "warning: $1"; }

check_host() {
  local port listening address
  problems=0
  say "Checking this host"
  [ "$(id -u)" = 0 ] || problem "not root"
  case $(uname -m) in x86_64 | aarch64) ;; *) problem "no image for $(uname -m): x86_64 and aarch64 there are" ;; esac
  # shellcheck disable=SC1091 # the system's own file
  case $(. /etc/os-release && printf '%s %s' "$ID" "${VERSION_ID:-}") in
    "debian 12" | "debian 13" | "ubuntu 22.04" | "ubuntu 24.04") ;;
    *) problem "only Debian 12 and 13, Ubuntu 22.04 and 24.04 are supported" ;;
  esac
  [ "$(awk '/^MemTotal/ {print $2}' /proc/meminfo)" -ge 1900000 ] || problem "less than 2 GB of memory"
  [ "$(df -Pk "$(existing_parent "$folder")" | awk 'NR == 2 {print $4}')" -ge 10000000 ] ||
    problem "less than 10 GB of free disk for $folder"
  if ! is_running; then
    listening=" $(awk 'NR > 1 && $4 == "0A" {n = split($2, a, ":"); print a[n]}' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
      while read -r port; do printf '%d ' "0x$port"; done || true)"
    for port in $(public_ports); do
      case $listening in *" $port "*) problem "port $port is taken by another program" ;; esac
    done
  fi
  address=$(public_addresses | grep -m 1 -F . || true)
  if [ -z "$address" ]; then
    warning "no public IPv4 address here: what reaches this host must be led to it"
  elif [ "$(getent hosts "$address" | awk '{print $2; exit}')" != "$hostname" ]; then
    warning "the name of $address (PTR) is not $hostname: many servers refuse mail from it; ask your provider"
  fi
  public_addresses | grep -qF : || warning "no public IPv6 address here; mail works without"
  if ! timeout 8 bash -c 'exec 3<>/dev/tcp/gmail-smtp-in.l.google.com/25 && head -c 3 <&3' 2>/dev/null |
    grep -q 220; then
    warning "outbound port 25 seems to be closed: ask your provider to open it, or set MAILSTEAD_RELAY_URL"
  fi
  if [ $problems -gt 0 ] && $checks && ! $dry_run; then fail "$problems problem(s); --skip-checks goes on nevertheless"; fi
}

public_addresses() { # one a line
  local address
  for address in $(hostname -I 2>/dev/null || true); do
    case $address in
      10.* | 127.* | 169.254.* | 192.168.* | 172.1[6-9].* | 172.2?.* | 172.3[01].* | 100.6[4-9].* | fe80:* | f[cd]* | ::1) ;;
      *) printf '%s\n' "$address" ;;
    esac
  done
}

existing_parent() {
  local path=$1
  while [ ! -d "$path" ]; do path=$(dirname "$path"); done
  printf '%s' "$path"
}

public_ports() {
  printf '25 80 443 465 587'
  case ,$profiles, in *,storage,*) printf ' 110 143 993 995 4190' ;; esac
}

# ---- programs

compose() {
  if docker compose version >/dev/null 2>&1; then
    (cd "$folder" && docker compose -f docker-compose-self-hosted.yml "$@")
  else
    (cd "$folder" && COMPOSE_FILE=docker-compose-self-hosted.yml docker-compose "$@")
  fi
}

containers() { # [OPTION...]: of this installation
  docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$(setting COMPOSE_PROJECT_NAME)" "$@"
}

is_running() {
  have docker && [ -n "$(setting COMPOSE_PROJECT_NAME)" ] &&
    [ -n "$(containers --filter label=com.docker.compose.service=scheduler 2>/dev/null)" ]
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_programs() {
  local packages=()
  say "Programs"
  have docker || packages+=(docker.io)
  if ! have docker-compose && ! docker compose version >/dev/null 2>&1; then
    # shellcheck disable=SC1091
    case $(. /etc/os-release && printf '%s' "$ID") in ubuntu) packages+=(docker-compose-v2) ;; *) packages+=(docker-compose) ;; esac
  fi
  have curl || packages+=(curl ca-certificates)
  have iptables || packages+=(iptables)
  if $firewall && ! have ufw; then packages+=(ufw); fi
  if [ ${#packages[@]} -gt 0 ]; then act "install ${packages[*]}" install_packages "${packages[@]}"; fi
  if have docker && docker info >/dev/null 2>&1; then return; fi
  act "start the container engine" start_engine
}

start_engine() {
  if have systemctl && [ -d /run/systemd/system ]; then systemctl enable --now --quiet docker; else service docker start >/dev/null; fi
  docker info >/dev/null || fail "the container engine does not answer"
}

# ---- firewall

ssh_ports() { # those that are in use, whatever the configuration says
  {
    [ -z "${SSH_CONNECTION:-}" ] || printf '%s\n' "${SSH_CONNECTION##* }"
    if have sshd || [ -x /usr/sbin/sshd ]; then
      PATH=$PATH:/usr/sbin sshd -T 2>/dev/null | awk '$1 == "port" {print $2}' || true
    fi
    sed -n 's/^[[:space:]]*Port[[:space:]]\+\([0-9]\+\).*/\1/Ip' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null || true
  } | sort -nu
}

set_up_firewall() {
  local rules port
  $firewall || return 0
  say "Firewall"
  rules=$(ufw show added 2>/dev/null || true)
  for port in $(ssh_ports) $(public_ports); do
    grep -qx "ufw allow $port/tcp" <<<"$rules" || act "allow $port/tcp" ufw allow "$port/tcp"
  done
  if [ -z "$(ssh_ports)" ]; then
    grep -qx "ufw allow 22/tcp" <<<"$rules" || act "allow 22/tcp" ufw allow 22/tcp
  fi
  ufw status 2>/dev/null | grep -q '^Status: active' || act "enable the firewall" ufw --force enable
}

# ---- files

fetch() { # NAME: its content
  case $source_of_files in
    http://* | https://*) curl -fsSL "$source_of_files/$1" ;;
    *) cat "$source_of_files/$1" ;;
  esac
}

put_file() { # NAME MODE
  local temporary
  temporary=$(mktemp)
  if ! fetch "$1" >"$temporary"; then rm -f "$temporary"; fail "$1 cannot be had from $source_of_files"; fi
  if cmp -s "$temporary" "$folder/$1"; then rm "$temporary"; return; fi
  act "write $folder/$1" install -m "$2" "$temporary" "$folder/$1"
  rm "$temporary"
}

write_files() {
  local name value
  say "Files in $folder"
  [ -d "$folder" ] || act "make $folder" install -d -m 0750 "$folder"
  put_file docker-compose-self-hosted.yml 0644
  put_file router.conf 0644
  put_file docker-compose-external-stores.yml 0644
  put_file update.sh 0755
  put_file setup.sh 0755
  keep_or_add MAILSTEAD_HOSTNAME "$hostname"
  keep_or_add MAILSTEAD_ADDRESSES "$(public_addresses | paste -sd, -)"
  keep_or_add COMPOSE_PROJECT_NAME mailstead
  keep_or_add COMPOSE_PROFILES "$profiles"
  keep_or_add IMAGE "$image"
  keep_or_add IMAGE_TAG "$version"
  keep_or_add UPDATE_CHANNEL "$version" # who chose a version stays at it
  for name in MAILSTEAD_SECRET MONGODB_PASSWORD MONGODB_KEY REDIS_PASSWORD; do keep_or_add "$name" "$(secret)" secret; done
  keep_or_add MAILSTEAD_DNS_PUBLISH_URL "$provider" secret
  case $acme in
    off) ;;
    letsencrypt) keep_or_add MAILSTEAD_ACME_DIRECTORY https://acme-v02.api.letsencrypt.org/directory ;;
    *) keep_or_add MAILSTEAD_ACME_DIRECTORY "$acme" ;;
  esac
  keep_or_add MAILSTEAD_ACME_CONTACT "$contact"
  for value in "${extra[@]}"; do keep_or_add "${value%%=*}" "${value#*=}"; done
}

# ---- containers

wait_healthy() { # [OPTION...]: all containers, or those that an option of `docker ps` chooses
  local deadline=$((SECONDS + 300)) container state waiting
  while [ $SECONDS -lt $deadline ]; do
    waiting=""
    for container in $(containers --all "$@"); do
      state=$(docker inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$container")
      case $state in healthy | running) ;; *) waiting="$waiting $(docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}}' "$container") ($state)" ;; esac
    done
    [ -n "$waiting" ] || return 0
    sleep 2
  done
  fail "not healthy after five minutes:$waiting; see: docker logs"
}

what_runs() { # what the services were started with, as a number
  cat "$folder/.env" "$folder/docker-compose-self-hosted.yml" "$folder/router.conf" 2>/dev/null | cksum || true
}

start_services() {
  say "Services"
  if $pull && ! is_running; then act "pull the images" compose pull --quiet; fi # newer ones are update.sh's part
  if is_running && [ "$started_with" = "$(what_runs)" ]; then
    note "as it is: the services run"
    if ! $dry_run; then compose up -d >/dev/null 2>&1; fi # what people changed in .env since
  else
    act "start the services" compose up -d
  fi
  if ! $dry_run; then wait_healthy; fi
}

inside() { # ARGUMENT...: a command of Mailstead's, with the terminal if there is one
  if [ -t 0 ] && [ -t 1 ]; then compose exec scheduler mailstead "$@"; else compose exec -T scheduler mailstead "$@"; fi
}

stop_services() { # all but the stores
  local container
  for container in $(containers); do
    case $(docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}}' "$container") in
      mongodb | redis) ;;
      *) docker stop --time 20 "$container" >/dev/null ;;
    esac
  done
}

once() { compose run --rm --no-deps -T "$@" </dev/null; } # a command in a container of its own

# ---- the menu's items

installed() { is_running || fail "no installation runs in $folder: run the initial setup first"; }

manner() { # the flags that the wizard in the image shares with this script, one a line
  if $yes; then printf '%s\n' --yes; fi
  if $dry_run; then printf '%s\n' --dry-run; fi
}

wizard() { # ITEM [OPTION...]
  local flags
  mapfile -t flags < <(manner)
  inside setup "$@" "${flags[@]}"
}

prepare() { # the host, its firewall, and what lies in the folder
  hostname=${hostname:-$(setting MAILSTEAD_HOSTNAME)}
  ask hostname "The name of this host" "${domain:+mail.$domain}"
  profiles=${profiles:-$(setting COMPOSE_PROFILES)}
  ask profiles "What runs (mail,storage: everything; mail: forwarding only)" mail,storage
  [[ $hostname =~ ^[A-Za-z0-9.-]+$ ]] || fail "--hostname: '$hostname' is no name"
  [[ $acme =~ ^(off|letsencrypt|https://.+)$ ]] || fail "--acme: letsencrypt, https://... or off"
  case $profiles in mail | mail,storage | mail,storage,metrics | mail,metrics) ;; *) fail "--profiles: mail,storage or mail" ;; esac
  check_host
  install_programs
  started_with=$(what_runs)
  write_files
  set_up_firewall
}

initial() {
  local arguments=(setup initial --yes --domain)
  ask domain "The domain that mail is for" "$(setting MAILSTEAD_HOSTNAME | cut -d. -f2-)"
  [ -n "$domain" ] || fail "--domain is needed"
  [[ $domain =~ ^[A-Za-z0-9.-]+$ ]] || fail "$domain is no name"
  prepare
  start_services
  say "Domain"
  arguments+=("$domain")
  if $publish; then arguments+=(--publish); fi
  if $dry_run; then
    note "would: mailstead ${arguments[*]}"
  else
    inside "${arguments[@]}"
    say "Done. $folder/.env holds the secrets of this installation: keep a copy where nobody else reads it."
  fi
}

backups() {
  local name value changed=false
  installed
  ask repository "Where backups go (s3:https://HOST/BUCKET, sftp:..., or a folder)" \
    "$(setting MAILSTEAD_BACKUP_REPOSITORY)"
  if [[ $repository == s3:* ]]; then
    for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
      value=$(given "$name")
      [ -z "$value" ] || continue
      ask value "$name, which the storage provider gave you" ""
      [ -n "$value" ] || fail "$name is needed: --set $name=..."
      extra+=("$name=$value")
    done
  fi
  for value in "${extra[@]}"; do change "${value%%=*}" "${value#*=}" secret; done
  [ -z "$repository" ] || change MAILSTEAD_BACKUP_REPOSITORY "$repository"
  if $changed; then
    act "start the services with that" compose up -d
    if ! $dry_run; then wait_healthy; fi
  fi
  wizard backups
}

restore() {
  local options=() value changed=false
  if ! $everything && [ -z "$mailbox" ]; then
    if confirm "Replace everything here by a backup (no: the lost mail of one mailbox)?"; then everything=true; fi
  fi
  if ! $everything; then
    installed
    [ -z "$mailbox" ] || options=(--mailbox "$mailbox")
    wizard restore "${options[@]}"
    return
  fi
  $yes || $dry_run || confirm "Replace all data of this installation by the backup $backup?" || fail "nothing was done"
  if [ -n "$repository" ]; then extra+=("MAILSTEAD_BACKUP_REPOSITORY=$repository"); fi
  prepare
  for value in "${extra[@]}"; do
    if ! $dry_run; then change "${value%%=*}" "${value#*=}" secret; fi # prepare kept what was there
  done
  say "Restore"
  if $pull; then act "pull the images" compose pull --quiet; fi
  if is_running; then act "stop the services" stop_services; fi
  act "start the stores" start_stores
  act "put back everything of backup $backup" put_back
  act "take MAILSTEAD_SECRET of that time" take_secret
  act "start the services" compose up -d
  if ! $dry_run; then
    wait_healthy
    inside status
    say "Done. The settings of that time are in restored.env in the volume mailstead, and its certificates are back."
  fi
}

put_back() {
  once scheduler backup restore "$backup" --yes || {
    compose up -d || true # what was here before, unless it was replaced in part: then nothing starts
    fail "backup $backup was not put back, see above; run this again"
  }
}

start_stores() {
  compose up -d mongodb redis
  wait_healthy --filter label=com.docker.compose.service=mongodb
  wait_healthy --filter label=com.docker.compose.service=redis
}

take_secret() { # what the mailboxes' and the DKIM keys are wrapped under came with the backup
  local found
  found=$(once --entrypoint cat scheduler /var/lib/mailstead/restored.env | tr -d '\r' | sed -n 's/^MAILSTEAD_SECRET=//p')
  [ -n "$found" ] || fail "the backup does not say MAILSTEAD_SECRET"
  add_setting MAILSTEAD_SECRET "$found"
}

updates() {
  [ -x "$folder/update.sh" ] || fail "no installation in $folder: run the initial setup first"
  "$folder/update.sh" status || true
  if [ "$(setting AUTOMATIC_UPDATES)" != true ] && { $yes || $dry_run || confirm "Update every night by itself?"; }; then
    act "set AUTOMATIC_UPDATES=true in $folder/.env" add_setting AUTOMATIC_UPDATES true
    act "make the timers" "$folder/update.sh" install
  fi
}

run_item() {
  case $1 in
    initial | 1) initial ;;
    backups | 2) backups ;;
    updates | 3) updates ;;
    certificates | 4) installed && wizard certificates ;;
    restore | 5) restore ;;
    status | 6) installed && wizard status ;;
    help | 7) usage ;;
    *) fail "no item $1; see --help" ;;
  esac
}

menu() {
  local choice=""
  [ -t 0 ] || { usage >&2; exit 2; }
  say "  1  Initial setup
  2  Backups
  3  Automatic updates
  4  Renew certificates
  5  Restore
  6  Status and doctor
  7  Help/Exit"
  while ! [[ ${choice:-} =~ ^[1-7]$ ]]; do read -r -p "Choose: " choice; done
  run_item "$choice"
}

main() {
  local here problems=0 started_with=""
  while [ $# -gt 0 ]; do
    case $1 in
      --domain) domain=${2:?} && shift ;;
      --hostname) hostname=${2:?} && shift ;;
      --folder) folder=${2:?} && shift ;;
      --version) version=${2:?} && shift ;;
      --image) image=${2:?} && shift ;;
      --profiles) profiles=${2:?} && shift ;;
      --dns-provider) provider=${2:?} && shift ;;
      --acme) acme=${2:?} && shift ;;
      --contact) contact=${2:?} && shift ;;
      --set)
        [[ ${2:-} =~ ^[A-Z][A-Z0-9_]*=.+ ]] || fail "--set NAME=VALUE"
        extra+=("$2") && shift
        ;;
      --source) source_of_files=${2:?} && shift ;;
      --publish) publish=true ;;
      --repository) repository=${2:?} && shift ;;
      --backup) backup=${2:?} && shift ;;
      --mailbox) mailbox=${2:?} && shift ;;
      --everything) everything=true ;;
      --no-firewall) firewall=false ;;
      --no-pull) pull=false ;;
      --skip-checks) checks=false ;;
      --yes | -y) yes=true ;;
      --dry-run) dry_run=true ;;
      --help | -h) usage && exit 0 ;;
      -*) usage >&2 && exit 2 ;;
      *) item=$1 ;;
    esac
    shift
  done
  if [ -z "$source_of_files" ]; then
    here=$(cd "$(dirname "${BASH_SOURCE[0]:-/dev/null}")" && pwd)
    if [ -f "$here/docker-compose-self-hosted.yml" ]; then
      source_of_files=$here
    else
      source_of_files=https://raw.githubusercontent.com/mailstead/mailstead/${version:-main}/deploy
      source_of_files=${source_of_files/\/latest\//\/main\/}
    fi
  fi
  if [ -n "$item" ]; then run_item "$item"; elif $yes; then run_item initial; else menu; fi
}

main "$@"
