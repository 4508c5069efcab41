# SPDX-License-Identifier: AGPL-3.0-or-later
# Prints the mirror of the first one-line apt source ("deb [options] URI suite component...") of `suite`, as deb822 fields.
$1 != "deb" { next }
{
  signed = ""
  if (match($0, /\[[^]]*\]/)) {
    options = substr($0, RSTART + 1, RLENGTH - 2)
    if (match(options, /signed-by=[^ ]+/)) signed = substr(options, RSTART + 10, RLENGTH - 10)
    sub(/\[[^]]*\]/, "")
    $0 = $0
  }
  if ($3 == suite) {
    print "URIs: " $2
    if (signed != "") print "Signed-By: " signed
    exit
  }
}
