#!/bin/sh
# make-trial-secrets.sh [HOST]: the secrets and the self-signed certificate that docker-compose.yml reads, for a trial.
# Makes only what is not there yet. Needs openssl.
set -eu
host=${1:-localhost}
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

random() { # 32 bytes as base64url
  openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n'
}

for name in master_keys cookie_keys admin_password; do
  [ -s "$name" ] || random >"$name"
done
if [ ! -s tls_key ] || [ ! -s tls_certificate ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj "/CN=$host" -addext "subjectAltName=DNS:$host" -keyout tls_key -out tls_certificate 2>/dev/null
fi
# read in containers by users of other numbers; on this machine the folder keeps them private
chmod 444 ./*
echo "deploy/secrets is there. The administrator's password stands in deploy/secrets/admin_password."
