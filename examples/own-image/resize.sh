#!/bin/sh
# Draw a picture, resize it to SIZE pixels, and report progress and a result.
set -eu
echo "::progress 0.1 drawing"
convert -size 1600x1200 gradient:navy-orange picture.png
echo "::progress 0.5 resizing to ${SIZE:=640}"
convert picture.png -resize "${SIZE}x${SIZE}" small.png
echo "::result {\"size\": \"$(identify -format '%wx%h' small.png)\"}"
