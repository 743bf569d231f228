#!/usr/bin/env python3
"""Looks into packages: look.py FEED PLATFORM…

Each tool package holds the libvips and the SQLite of its platform, by their first bytes, and of no other; each library its description, documentation and symbols.
"""
import sys
import zipfile
from pathlib import Path

NAMES = {
    "linux": ("libvips.so.42", "libe_sqlite3.so", "halftone"),
    "osx": ("libvips.42.dylib", "libe_sqlite3.dylib", "halftone"),
    "win": ("libvips-42.dll", "e_sqlite3.dll", "halftone.exe"),
}


def machine(data):
    """System and processor that a native file is for, such as ("linux", "x64")."""
    if data[:4] == b"\x7fELF":
        return "linux", {62: "x64", 183: "arm64"}[int.from_bytes(data[18:20], "little")]
    if data[:4] == b"\xcf\xfa\xed\xfe":
        return "osx", {0x01000007: "x64", 0x0100000C: "arm64"}[int.from_bytes(data[4:8], "little")]
    if data[:2] == b"MZ":
        header = int.from_bytes(data[60:64], "little")
        return "win", {0x8664: "x64", 0xAA64: "arm64"}[int.from_bytes(data[header + 4:header + 6], "little")]
    raise ValueError(data[:4])


def main(feed, platforms):
    version = next(Path(feed).glob("Halftone.Csv.*.nupkg")).name.removeprefix("Halftone.Csv.").removesuffix(".nupkg")
    for platform in platforms:
        system, processor = platform.split("-")[0], platform.split("-")[-1]
        package = zipfile.ZipFile(Path(feed) / f"Halftone.{platform}.{version}.nupkg")
        files = {name.rsplit("/", 1)[-1]: name for name in package.namelist()}
        for name in NAMES[system]:
            found = machine(package.read(files[name]))
            assert found == (system, processor), f"{platform}: {name} is for {found}"
        for other, (libvips, sqlite, _) in NAMES.items():
            assert other == system or (libvips not in files and sqlite not in files), f"{platform} brings the files of {other}"
        print(f"Halftone.{platform}: {len(files)} files, {', '.join(NAMES[system])} for {system} on {processor}")
    for name in ("Halftone.Csv", "Halftone.Codec"):
        files = zipfile.ZipFile(Path(feed) / f"{name}.{version}.nupkg").namelist()
        symbols = zipfile.ZipFile(Path(feed) / f"{name}.{version}.snupkg").namelist()
        for file, there in (("README.md", files), (f"lib/net10.0/{name}.dll", files), (f"lib/net10.0/{name}.xml", files), (f"lib/net10.0/{name}.pdb", symbols)):
            assert file in there, f"{name} lacks {file}"
        print(f"{name}: {', '.join(file for file in files if not file.startswith(('_rels', 'package/')))}")


main(sys.argv[1], sys.argv[2:])
