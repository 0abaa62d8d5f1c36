"""What judges of lines share: every line of the files that are named, but the blanks of a recovery."""

import sys


def judge(what, complaints, errors):
    """Ends the process: with 0 if there is a line, and complaints(line) has none of any. `errors` are complaints, too."""
    passed = failed = 0
    for path in sys.argv[1:]:
        for number, line in enumerate(open(path, encoding="utf-8", newline="\n"), 1):
            if not line.strip(" \n"):
                continue
            try:
                said = list(complaints(line))
            except errors as error:
                said = [str(error)]
            for text in said:
                print(f"{path}:{number}: {text[:300]}")
            failed += bool(said)
            passed += not said
    print(f"{what}: {passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)
