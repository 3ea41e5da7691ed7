"""How the pages of ``server.pages`` look, in the light and in the dark; fonts are the machine's own."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --quiet: #68727f; --paper: #fff; --panel: #f5f7fa;
  --line: #dfe4ea; --link: #1757b8; --get: #17683a; --post: #1757b8; --put: #8a5200; --delete: #b02a30; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe4ec; --quiet: #939dab; --paper: #14171c;
  --panel: #1c2027; --line: #2e343d; --link: #86b5ff; --get: #6fd08f; --post: #86b5ff; --put: #f0b45c;
  --delete: #ff8a8a; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; }
body { background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; margin: 0; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
header { align-items: baseline; background: var(--paper); border-bottom: 1px solid var(--line); display: flex;
  flex-wrap: wrap; gap: .2rem 2rem; padding: .7rem 1.5rem; position: sticky; top: 0; z-index: 1; }
header h1 { font-size: 1.1rem; margin: 0; } header small { color: var(--quiet); font-weight: normal; }
header a { margin-right: 1.2rem; padding-bottom: .2rem; }
header a[aria-current] { border-bottom: 2px solid var(--link); color: var(--ink); font-weight: 600; }
.columns { display: grid; gap: 2.5rem; grid-template-columns: 21rem minmax(0, 50rem); padding: 0 1.5rem; }
.menu { align-self: start; font-size: .82rem; max-height: calc(100vh - 3.5rem); overflow-y: auto;
  padding: 1rem 0 2rem; position: sticky; top: 3.2rem; }
.menu h3 { font-size: .82rem; margin: 1rem 0 .2rem; } .menu h3 a { color: var(--ink); }
.menu ul { list-style: none; margin: 0; padding: 0; }
.menu li { font-family: ui-monospace, monospace; font-size: .74rem; margin: .18rem 0; overflow-wrap: anywhere;
  padding-left: 3.6em; text-indent: -3.6em; }
.menu a { color: var(--quiet); } .menu a:hover { color: var(--link); }
main { padding: 1rem 0 6rem; } main > h1 { font-size: 1.7rem; margin: .6rem 0; }
h2 { border-bottom: 1px solid var(--line); font-size: 1.25rem; margin: 2.6rem 0 .5rem;
  padding-bottom: .3rem; }
.lead { color: var(--quiet); max-width: 44rem; }
section { border: 1px solid var(--line); border-radius: 8px; margin: 1.1rem 0; overflow: hidden;
  padding: 0 1rem .6rem; }
section:target { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
.signature { background: var(--panel); font: 600 .9rem/1.5 ui-monospace, monospace; margin: 0 -1rem .6rem;
  overflow-wrap: anywhere; padding: .5rem 1rem; }
section p { margin: .4rem 0; } section p:empty, main > p:empty { display: none; }
.get, .send { color: var(--get); } .post, .receive { color: var(--post); } .put { color: var(--put); }
.delete { color: var(--delete); }
.tag { border: 1px solid var(--line); border-radius: 99px; color: var(--quiet); float: right;
  font-size: .72rem; font-weight: normal; padding: 0 .6rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .84rem; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; line-height: 1.45;
  margin: .4rem 0; max-height: 24rem; overflow: auto; padding: .6rem .8rem; }
table { border-collapse: collapse; margin: .3rem 0; } .quiet, summary { color: var(--quiet); }
summary { cursor: pointer; font-size: .85rem; margin: .3rem 0; }
td { padding: .12rem 1.2rem .12rem 0; text-align: left; vertical-align: top; }
td:first-child { white-space: nowrap; } .good code:first-child { color: var(--get); }
.bad td:first-child code { color: var(--delete); }
@media (max-width: 60rem) { .columns { display: block; } .menu { max-height: none; position: static; }
  header { position: static; } html { scroll-padding-top: 0; } }
"""
