#!/bin/sh
# How film.mp4, film.webm and the two parts of the stream were made: our own pictures and sound, CC0. ffmpeg is needed
# for this only, neither to run nor to test Openreel. FONT is a TrueType font, such as DejaVuSans-Bold.ttf.
set -e
FONT=$1
write="drawtext=fontfile=$FONT:fontcolor=white"
picture="[0:v]$write:text=Openreel:fontsize=20:x=12:y=10"
picture="$picture,$write:text=%{eif\\\\:ceil(20-t)\\\\:d}:fontsize=84:x=(w-tw)/2:y=(h-th)/2[v]"
colours="gradients=s=320x180:r=12:d=20:c0=0x1b1026:c1=0xe0a030:c2=0x7a1f3d:c3=0x123047:nb_colors=4:speed=0.02:seed=7"
ffmpeg -y -f lavfi -i "$colours" -f lavfi -i "sine=frequency=220:duration=20:sample_rate=24000" \
  -filter_complex "$picture;[1:a]volume=0.08,tremolo=f=2:d=0.8[a]" -map "[v]" -map "[a]" \
  -c:v libx264 -preset slow -crf 37 -g 48 -pix_fmt yuv420p -profile:v main \
  -c:a aac -b:a 24k -ac 1 -movflags +faststart -map_metadata -1 film.mp4
ffmpeg -y -i film.mp4 -c:v libvpx-vp9 -crf 52 -b:v 0 -g 48 -c:a libopus -b:a 16k -map_metadata -1 film.webm
ffmpeg -y -i film.mp4 -c copy -f hls -hls_time 10 -hls_playlist_type vod \
  -hls_segment_filename "part%d.ts" -start_number 1 all.m3u8
