#!/bin/bash
# What both container definitions do: installs Serval's Debian packages and leaves nothing else behind.
#
#   install.sh FOLDER     FOLDER: what tools/package/build.sh made
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends "$1"/serval_*.deb "$1"/libserval-predict0*.deb gnuplot-nox
rm -rf /var/lib/apt/lists/*
serval info
