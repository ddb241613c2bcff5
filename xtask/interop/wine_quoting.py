"""Wine's cmd, and what programs make of the command lines that winrm-shell writes for them.

Run by hand, after a change to quoting or to the argument vectors; `cargo test -p winrm-shell --test quoting` then checks what
this has stored. A new case is an object with `argv` alone, added to the file of vectors.

    python3 xtask/interop/wine_quoting.py

Needs cargo, Wine (`wine64`, also where Debian hides it) and the compiler `x86_64-w64-mingw32-gcc`; Debian's packages are wine64
and gcc-mingw-w64-x86-64. Wine's files go to a temporary folder; none of the user's are touched.

For each case of crates/shell/tests/vectors/wine_cmd_quoting.json the example `quote` of winrm-shell gives the line, which goes
to `cmd /C LINE` as a Windows host would start it. The programs named in the vectors are all wine_quoting.c, which tells what
it was started with; `batch.cmd` hands its arguments on to one. Stored are the line, what the program received (nothing where
it was not started), and the version of Wine.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "crates" / "shell" / "tests" / "vectors" / "wine_cmd_quoting.json"
SOURCE = pathlib.Path(__file__).with_suffix(".c")
WINE = shutil.which("wine64") or shutil.which("wine") or "/usr/lib/wine/wine64"
WINESERVER = shutil.which("wineserver") or "/usr/lib/wine/wineserver"


def lines(argvs):
    """What winrm-shell sends for each argument vector."""
    command = ["cargo", "run", "--quiet", "--package", "winrm-shell", "--example", "quote"]
    argvs = "".join(json.dumps(argv) + "\n" for argv in argvs)
    output = subprocess.run(command, cwd=ROOT, input=argvs, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def lay_out(folder, argvs):
    """Puts the programs where the vectors say they are."""
    program = folder / "argv.exe"
    subprocess.run(["x86_64-w64-mingw32-gcc", "-municode", "-O1", "-Wall", "-o", program, SOURCE], check=True)
    (folder / "batch.cmd").write_bytes(b"@argv.exe %*\r\n")
    for name in {argv[0] for argv in argvs}:
        path = folder / name.replace("\\", "/")
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            shutil.copyfile(program, path)
    return program


def run(folder, program, lines):
    """What the programs print, a text for each line."""
    (folder / "lines").write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")
    environment = {
        **os.environ,
        "WINEPREFIX": str(folder / "prefix"),
        # Neither its talk nor windows, nor a menu of programs.
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
        "LC_ALL": "C.UTF-8",
    }
    environment.pop("DISPLAY", None)
    command = [WINE, str(program), "--run", "lines"]
    output = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True).stdout
    # It outlives its programs for a while, and would write into a folder that is gone.
    subprocess.run([WINESERVER, "--kill"], env=environment, check=False)
    subprocess.run([WINESERVER, "--wait"], env=environment, check=True)
    texts = output.decode().replace("\r\n", "\n").split("\x1e\n")
    assert texts.pop() == "" and len(texts) == len(lines), output
    return texts


def main():
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    argvs = [case["argv"] for case in vectors["cases"]]
    quoted = lines(argvs)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        texts = run(folder, lay_out(folder, argvs), quoted)
    cases = []
    for argv, line, text in zip(argvs, quoted, texts, strict=True):
        try:
            received = json.loads(text)
        except json.JSONDecodeError:
            received = None
            print(f"{argv}: {line}: not started: {text.strip()}")
        else:
            if received["crt"][1:] != argv[1:]:
                print(f"{argv}: {line}: received {received['crt']}")
        cases.append({"argv": argv, "line": line, "received": received})
    version = subprocess.run([WINE, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    vectors |= {"wine": version, "cases": cases}
    # A case a line, so that changes can be read.
    head = {name: value for name, value in vectors.items() if name != "cases"}
    body = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    text = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + f',\n "cases": [\n{body}\n]}}\n'
    VECTORS.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(cases)} cases, {version}")


if __name__ == "__main__":
    main()
