"""Texts that run as code wherever they are taken for markup: for prompts, names, categories, ids and CSV cells.

Each that runs calls `hostile()` of the page or opens a dialog.
"""

HOSTILE = (
    "<script>hostile()</script>",
    "</script><script>hostile()</script>",
    "<img src=x onerror=hostile()>",
    "<svg/onload=hostile()>",
    '"><svg onload=hostile()>',
    "' onmouseover='hostile()' x='",
    '<a href="javascript:hostile()">click</a>',
    '<iframe srcdoc="<script>parent.hostile()</script>"></iframe>',
    "<style>@import 'http://hostile.invalid/x.css';</style>",
    "<link rel=stylesheet href=http://hostile.invalid/x.css>",
    "<base href=http://hostile.invalid/>",
    "<meta http-equiv=refresh content='0;url=http://hostile.invalid/'>",
    "<img src=http://hostile.invalid/pixel.png>",
    "<!--<script>",
    "]]><script>hostile()</script>",
    "{{ 7 * 7 }}{% for x in () %}",
    "${alert(1)}`;alert(1)//",
    "<b>bold</b><a href='http://hostile.invalid'>link</a>",
    "\u2028alert(1)\u2029",
    "[click](javascript:alert(1)) ![x](http://hostile.invalid/x.png)",
)
FORMULAS = (
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    ' =HYPERLINK("http://hostile.invalid")',
)
