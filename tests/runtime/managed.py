"""Stand-in for `/var/runtime/bootstrap.py` of AWS's managed Python runtimes: the same steps in the same order.

It decides which folders are searched, and which `.pth` files run and when; `BOX_OPT` stands for `/opt`.
"""

import os
import site
import sys


def main() -> None:
    import awslambdaric.__main__ as client

    task, opt = os.environ["LAMBDA_TASK_ROOT"], os.environ["BOX_OPT"] + "/python"
    versioned = f"{opt}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    without_path = "PYTHONPATH" not in os.environ
    if without_path:
        sys.path[:0] = [versioned, opt]
    sys.path.insert(0, task)
    site.addsitedir(task)
    if without_path:
        site.addsitedir(versioned)
        site.addsitedir(opt)
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))
    client.main([task, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
