"""Compares pictures by other people's decoders: Pillow with LittleCMS, and avifdec.

Reads lines of JSON, {"name", "output", "reference", "numbers"}, the last an ICC profile of the reference where its decoder knows none, and
and how far it is from the reference, as the mean and the greatest difference of a grid of 32 x 32 mean colours in levels of 255. Both sides
are turned upright, converted to sRGB and laid on white. Of animations the frames are compared one by one.
"""
import io
import json
import os
import subprocess
import sys
import tempfile

from PIL import Image, ImageCms, ImageOps, ImageSequence

SRGB = ImageCms.createProfile("sRGB")
BLACK_POINT = 0x2000
GRID = 32


def open_picture(path):
    with open(path, "rb") as file:
        head = file.read(12)
    if head[4:8] != b"ftyp":
        return [Image.open(path)]
    pictures, folder = [], tempfile.mkdtemp()
    is_animation = head[8:12] == b"avis"
    while True:
        decoded = os.path.join(folder, f"{len(pictures)}.png")
        options = ["--index", str(len(pictures))] if is_animation else []
        done = subprocess.run(["avifdec", *options, path, decoded], capture_output=True, text=True)
        if done.returncode != 0:
            break
        pictures.append(Image.open(decoded))
        if not is_animation:
            break
    if not pictures:
        raise ValueError(done.stderr or done.stdout)
    return pictures


def shown(picture):
    """RGB as it is seen on white."""
    profile = picture.info.get("icc_profile")
    alpha = None
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif "transparency" in picture.info and picture.mode in ("RGB", "L"):
        picture = picture.convert("RGBA")
    if picture.mode.startswith("I"):
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
        alpha, picture = picture.getchannel("A"), picture.convert("RGB")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(source.profile.xcolor_space.strip())
        if mode == picture.mode:
            picture = ImageCms.profileToProfile(picture, source, SRGB, renderingIntent=1, outputMode="RGB", flags=BLACK_POINT)
    picture = picture.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", picture.size, (255, 255, 255))
        white.paste(picture, mask=alpha)
        picture = white
    return picture


def frames_of(pictures):
    frames, durations = [], []
    for picture in pictures:
        for frame in ImageSequence.Iterator(picture):
            orientation = picture.getexif().get(0x0112, 1)
            upright = frame.copy()
            if orientation > 1:
                upright.getexif()[0x0112] = orientation
                upright.info["exif"] = upright.getexif().tobytes()
                upright = ImageOps.exif_transpose(upright)
            frames.append(shown(upright))
            durations.append(round(frame.info.get("duration", 0)))
    return frames, durations


def distance(one, other):
    one, other = (picture.resize((GRID, GRID), Image.BOX).tobytes() for picture in (one, other))
    differences = [abs(a - b) for a, b in zip(one, other)]
    return sum(differences) / len(differences), max(differences)


def judge(task):
    pictures = open_picture(task["output"])
    frames, durations = frames_of(pictures)
    answer = {"name": task["name"], "size": list(frames[0].size), "frames": len(frames), "durations": durations, "loop": pictures[0].info.get("loop", 0),
              "colours": len(frames[0].getcolors(1 << 24))}
    if task.get("reference"):
        references = open_picture(task["reference"])
        if task.get("numbers"):
            with open(task["numbers"], "rb") as profile:
                references[0].info["icc_profile"] = profile.read()
        expected, expected_durations = frames_of(references)
        answer["expected"] = {"frames": len(expected), "durations": expected_durations, "loop": references[0].info.get("loop", 0)}
        if expected[0].size != frames[0].size:
            raise ValueError(f"{frames[0].size}, not {expected[0].size}")
        if len(expected) != len(frames):
            return answer
        distances = [distance(one, other) for one, other in zip(frames, expected)]
        answer["shift"] = max(mean for mean, _ in distances)
        answer["most"] = max(most for _, most in distances)
    return answer


for line in sys.stdin:
    asked = json.loads(line)
    try:
        print(json.dumps(judge(asked)))
    except Exception as error:  # the test that asked says which picture it was
        print(json.dumps({"name": asked["name"], "error": f"{type(error).__name__}: {error}"}))
