#!/bin/sh
# Install the viewers that `make viewers` opens: Orthanc's DICOMweb and web viewer, a browser, a
# desktop viewer with a screen nobody sees, npm to fetch OHIF. Without root it says what is missing.
set -u
missing=""
command -v dcmsend >/dev/null 2>&1 || missing="$missing dcmtk"
[ -x /usr/sbin/Orthanc ] || missing="$missing orthanc"
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing="$missing orthanc-dicomweb"
[ -e /usr/share/orthanc/plugins/libOrthancWebViewer.so ] || missing="$missing orthanc-webviewer"
for program in chromium aeskulap xdotool npm; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
command -v Xvfb >/dev/null 2>&1 || missing="$missing xvfb"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing viewers:$missing"
    # shellcheck disable=SC2086
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "Viewers that are not installed:$missing"
echo "Install them as administrator:  apt-get install$missing"
exit 1
