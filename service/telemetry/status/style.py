"""How the page looks: one style sheet, for light and dark and for any width. Nothing is fetched for it."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--page:#fbfbfa;--text:#1c2024;--quiet:#5a626b;--line:#d8dcdf;--box:#fff;--bad:#a11a1a;
--bad-box:#fdecec;--warn:#7a4a00;--warn-box:#fff4dc;--good:#17653a;--link:#0b5cad}
@media (prefers-color-scheme:dark){:root{--page:#14171a;--text:#e6e9ec;--quiet:#a3abb3;--line:#343a40;--box:#1b1f23;
--bad:#ff9c9c;--bad-box:#3a1719;--warn:#ffcf7d;--warn-box:#33270f;--good:#7fd6a2;--link:#8fc1ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:75rem;padding:1rem;background:var(--page);color:var(--text);
font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.35rem 0}
a{color:var(--link)}
a:focus-visible{outline:2px solid currentColor;outline-offset:2px}
.quiet{color:var(--quiet)}
.good{color:var(--good)}
.bad,.warn{margin:1rem 0;padding:.6rem .8rem;border-left:.3rem solid;border-radius:.2rem}
.bad{color:var(--bad);background:var(--bad-box)}
.warn{color:var(--warn);background:var(--warn-box)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.6rem,1fr));gap:.5rem;margin:.5rem 0}
dl div{padding:.5rem .7rem;border:1px solid var(--line);border-radius:.3rem;background:var(--box)}
dt{color:var(--quiet);font-size:.8rem}
dd{margin:0;font-size:1.2rem;font-variant-numeric:tabular-nums}
table{width:100%;border-collapse:collapse;background:var(--box);border:1px solid var(--line);font-size:.9rem}
th,td{padding:.4rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600}
thead th{color:var(--quiet);overflow-wrap:normal}
time,time+span{white-space:nowrap}
@media (max-width:52rem){
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,th,td{display:block}
tr{border-bottom:1px solid var(--line);padding:.4rem 0}
th,td{border:0;padding:.1rem .6rem}
td::before{content:attr(data-label) ": ";color:var(--quiet)}
}
"""

STYLE_HASH: Final = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""By which a Content-Security-Policy knows the sheet."""
