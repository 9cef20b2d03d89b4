#!/bin/sh
# Install the DICOM programs that the tests use as real peers: dcmtk, dicom3tools, orthanc.
# Without root it only says what is missing; the tests that need them then fail and say so too.
set -u
missing=""
command -v storescp >/dev/null 2>&1 || missing="$missing dcmtk"
command -v dciodvfy >/dev/null 2>&1 || missing="$missing dicom3tools"
command -v Orthanc >/dev/null 2>&1 || [ -x /usr/sbin/Orthanc ] || missing="$missing orthanc"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing for the tests:$missing"
    # shellcheck disable=SC2086
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "The tests talk to real DICOM programs that are not installed:$missing"
echo "Install them as administrator:  apt-get install$missing"
echo "Tests that need them will fail until then."
exit 0
