"""Does this version still read, and finish, what commit 9e4d491 left behind?

`9e4d491/` holds a data folder that this commit wrote, as compressed SQL, and its contents as that code read them.
`write_log.py` and `writing/` wrote both, and run only on that commit. The rest runs on the current code. `opened.py` is
the only file that uses the names of the current stores, so a renamed class changes that file and no test.

`names.json` lists the public names of that commit, and `test_names.py` checks that the current code still has them.
"""
