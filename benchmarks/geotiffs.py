"""Filter every GeoTIFF of a folder by an identity; see with rasterio whether the output still says where it is.

    python benchmarks/geotiffs.py FOLDER [--list]

Needs rasterio. The GeoTIFFs are any that one has; none lies in this repository. Of each that convcli reads, GDAL reads
the output as it reads the input: coordinate reference system, transform or ground control points, nodata value, RPCs,
tags of the file and of its bands (statistics aside, which are dropped with a note), descriptions, scales, offsets and
units. A palette becomes RGB: its nodata value, which is an index, is dropped with a note and not counted.

A file is counted under the first of these that holds: `refused` by convcli, `unread` by rasterio, `differs` and `same`.
"""

import argparse
import os
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
GEO_TAGS = {33550, 33922, 34264, 34735, 50844, 42112, 42113}


def is_geotiff(path: Path) -> bool:
    """Whether a file is a TIFF whose first directory has a tag of GeoTIFF or GDAL."""
    import tifffile

    with open(path, "rb") as file:
        if file.read(4) not in MAGIC:
            return False
    try:
        with tifffile.TiffFile(path) as file:
            return any(tag.code in GEO_TAGS for tag in file.pages[0].tags)
    except Exception:  # damaged files are no matter of this script
        return False


def facts(path: str) -> dict[str, object]:
    """Return what GDAL says of a file beside its samples."""
    import rasterio

    with rasterio.open(path) as file:
        points, system = file.gcps
        rpcs = None if file.rpcs is None else file.rpcs.to_gdal()
        tags = {key: value for key, value in file.tags().items() if not key.startswith(("STATISTICS_", "TIFFTAG_"))}
        bands = [
            {key: value for key, value in file.tags(n).items() if not key.startswith("STATISTICS_")}
            for n in range(1, file.count + 1)
        ]
        palette = file.colorinterp[0].name == "palette"
        found: dict[str, object] = {
            "size": file.shape,
            "crs": None if file.crs is None else file.crs.to_wkt(),
            "transform": tuple(file.transform),
            "points": [(p.row, p.col, p.x, p.y, p.z) for p in points],
            "points' crs": None if system is None else system.to_wkt(),
            "rpcs": rpcs,
            "tags": tags,
        }
        if not palette:
            found |= {
                "nodata": file.nodatavals,
                "band tags": bands,
                "descriptions": file.descriptions,
                "scales": file.scales,
                "offsets": file.offsets,
                "units": file.units,
            }
        return found


def differences(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Return the facts that differ."""
    differing = []
    for key, value in before.items():
        other = after.get(key, value)
        if value != other and repr(value) != repr(other):  # NaN is not equal to itself
            differing.append(f"{key}: {value} became {other}")
    return differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true", help="name the refused and unread files too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ["GDAL_PAM_ENABLED"] = "NO"  # what files beside a TIFF say is none of its own
    sys.path.insert(0, os.getcwd())
    from convcli.cli.app import run

    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "out.tif")
        for path in sorted(p for p in arguments.folder.rglob("*") if p.is_file() and p.stat().st_size):
            if not is_geotiff(path):
                continue
            try:
                before = facts(str(path))
            except Exception as error:  # whatever GDAL finds
                kind, lines = "unread", [str(error)]
            else:
                Path(output).unlink(missing_ok=True)
                status = run(["filter", str(path), "-k", "identity", "-o", output, "-q"])
                lines = [] if status else differences(before, facts(output))
                kind = "refused" if status else "differs" if lines else "same"
            counts[kind] += 1
            if kind == "differs" or (arguments.list and kind != "same"):
                print(f"{kind}: {path}", *lines, sep="\n    ")
    print(
        f"{counts.total()} GeoTIFFs: " + ", ".join(f"{counts[k]} {k}" for k in ("same", "differs", "refused", "unread"))
    )
    return int(counts["differs"] > 0)


if __name__ == "__main__":
    sys.exit(main())
