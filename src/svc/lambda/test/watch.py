"""farthing watch: a save is deployed within a tenth of a second."""
import os
import subprocess
import sys
import tempfile

import scenario
from scenario import check, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import call, make  # noqa: E402

CODE = "import sub.part\ndef handler(event, context): return [%d, sub.part.value]\n"


def write(path, text):
    """Whole at once, and nothing else is ever seen in the folder."""
    with tempfile.NamedTemporaryFile("w", delete=False) as f:
        f.write(text)
    os.chmod(f.name, 0o644)
    os.rename(f.name, path)


def test_watch(server):
    client = make(server, "watched", "def handler(event, context): return 0\n")
    folder = tempfile.mkdtemp()
    os.makedirs(os.path.join(folder, "sub"))
    write(os.path.join(folder, "app.py"), CODE % 1)
    write(os.path.join(folder, "sub", "part.py"), "value = 'a'\n")
    p = subprocess.Popen([scenario.FARTHING, "watch", folder, "--function", "watched", "--data", server.data],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        check("has the folder's 2 files" in p.stdout.readline())
        same(call(client, "watched")[0], [1, "a"])
        for n in range(2, 7):
            write(os.path.join(folder, "app.py"), CODE % n)
            line = p.stdout.readline()
            check("has the folder's" in line, line)
            same(call(client, "watched")[0], [n, "a"])
        os.makedirs(os.path.join(folder, "new"))
        write(os.path.join(folder, "new", "x.txt"), "x")
        check("3 files" in p.stdout.readline())
        write(os.path.join(folder, "sub", "part.py"), "value = 'b'\n")
        p.stdout.readline()
        same(call(client, "watched")[0], [6, "b"])
        client.delete_function(FunctionName="watched")
        write(os.path.join(folder, "app.py"), CODE % 9)
        same(p.wait(timeout=60), 1)
        check("Function not found" in p.stderr.read())
    finally:
        p.kill()
    done = server.run("watch", folder)
    same(done.returncode, 2)
