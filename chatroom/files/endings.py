"""The media types of the endings of file names, one table for each kind of content.

A type of these tables never makes a browser run the file: pages, drawings (SVG) and scripts are in no table.
"""

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

WORD = {
    ".docx": f"{_OPEN_XML}wordprocessingml.document",
    ".docm": "application/vnd.ms-word.document.macroEnabled.12",
    ".dotx": f"{_OPEN_XML}wordprocessingml.template",
    ".dotm": "application/vnd.ms-word.template.macroEnabled.12",
}
EXCEL = {
    ".xlsx": f"{_OPEN_XML}spreadsheetml.sheet",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ".xltx": f"{_OPEN_XML}spreadsheetml.template",
    ".xltm": "application/vnd.ms-excel.template.macroEnabled.12",
    ".xlam": "application/vnd.ms-excel.addin.macroEnabled.12",
}
POWERPOINT = {
    ".pptx": f"{_OPEN_XML}presentationml.presentation",
    ".pptm": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
    ".ppsx": f"{_OPEN_XML}presentationml.slideshow",
    ".ppsm": "application/vnd.ms-powerpoint.slideshow.macroEnabled.12",
    ".potx": f"{_OPEN_XML}presentationml.template",
    ".potm": "application/vnd.ms-powerpoint.template.macroEnabled.12",
}

ZIP = {
    **WORD,
    **EXCEL,
    **POWERPOINT,
    ".zip": "application/zip",
    ".odt": f"{_OPEN_DOCUMENT}text",
    ".ott": f"{_OPEN_DOCUMENT}text-template",
    ".ods": f"{_OPEN_DOCUMENT}spreadsheet",
    ".ots": f"{_OPEN_DOCUMENT}spreadsheet-template",
    ".odp": f"{_OPEN_DOCUMENT}presentation",
    ".otp": f"{_OPEN_DOCUMENT}presentation-template",
    ".odg": f"{_OPEN_DOCUMENT}graphics",
    ".odf": f"{_OPEN_DOCUMENT}formula",
    ".epub": "application/epub+zip",
    ".apk": "application/vnd.android.package-archive",
    ".jar": "application/java-archive",
    ".kmz": "application/vnd.google-earth.kmz",
    ".cbz": "application/vnd.comicbook+zip",
    ".pages": "application/vnd.apple.pages",
    ".numbers": "application/vnd.apple.numbers",
    ".key": "application/vnd.apple.keynote",
    ".vsdx": "application/vnd.ms-visio.drawing.main+xml",
    ".3mf": "model/3mf",
    ".usdz": "model/vnd.usdz+zip",
}
"""The types of files that are ZIP archives."""

OLE = {
    **WORD,  # with a password, the new formats are stored in the old container
    **EXCEL,
    **POWERPOINT,
    ".doc": "application/msword",
    ".dot": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".xlt": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pps": "application/vnd.ms-powerpoint",
    ".msg": "application/vnd.ms-outlook",
    ".vsd": "application/vnd.visio",
    ".pub": "application/x-mspublisher",
    ".mpp": "application/vnd.ms-project",
}
"""The types of files in the container of Office 97."""

TEXTS = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
    ".eml": "message/rfc822",
}
"""The types of texts that other programs open. All other texts are plain text."""

MAGIC = {
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".aac": "audio/aac",
    ".amr": "audio/amr",
    ".mid": "audio/midi",
    ".aiff": "audio/aiff",
    ".caf": "audio/x-caf",
    ".wma": "audio/x-ms-wma",
    ".wmv": "video/x-ms-wmv",
    ".avi": "video/x-msvideo",
    ".mpg": "video/mpeg",
    ".flv": "video/x-flv",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".gz": "application/gzip",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
    ".zst": "application/zstd",
    ".tar": "application/x-tar",
    ".dwg": "image/vnd.dwg",
    ".psd": "image/vnd.adobe.photoshop",
    ".tiff": "image/tiff",
    ".jxl": "image/jxl",
    ".bmp": "image/bmp",
    ".ico": "image/vnd.microsoft.icon",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".db": "application/vnd.sqlite3",
    ".ps": "application/postscript",
}
"""The types by the ending that puremagic finds."""
