"""The audit hook: phases, grants, threads, modes, and ways round it. Every test runs in an interpreter of its own."""

from __future__ import annotations

from armed import run

ELSEWHERE = "203.0.113.5"  # a documentation network: nothing answers, and nothing is sent before `connect_ex` returns

ODD = ["100.100.100.200", "0.0.0.0", "224.0.0.1", "", "<broadcast>"]


def test_before_the_first_invocation_everything_is_allowed() -> None:
    told = run("tell(got=[connect('169.254.169.254', 80), connect('127.0.0.1', 9001), connect(elsewhere, 443)])", elsewhere=ELSEWHERE)
    assert told["got"] == ["ok", "ok", "ok"]


def test_metadata_and_the_runtime_api_are_refused_where_egress_is_not_declared() -> None:
    told = run(
        """
        with invocation() as made:
            got = {host: connect(host, 80) for host in hosts_}
            got |= {f"{host}:9001": connect(host, 9001) for host in loopbacks}
            got6 = {host: connect(host, 80, family=10) for host in hosts6}
            tell(got=got, got6=got6, elsewhere=connect(elsewhere, 443), loopback=connect("127.0.0.1", 9002))
        tell(rules=[(finding.rule, finding.control, finding.target) for finding in made.attempts])
        """,
        hosts_=["169.254.169.254", "2852039166", "0xA9FEA9FE", "169.254.43518", "169.254.170.2", "169.254.170.23", *ODD],
        hosts6=["::ffff:169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "::", "ff02::1"],
        loopbacks=["127.0.0.1", "127.1", "127.9.9.9", "localhost", "0.0.0.0", "2130706433"],
        elsewhere=ELSEWHERE,
    )
    assert {host: outcome for host, outcome in told["got"].items() if outcome != "ActionBlocked"} == {}
    assert {host: outcome for host, outcome in told["got6"].items() if outcome != "ActionBlocked"} == {}
    assert told["elsewhere"] == told["loopback"] == "ok"
    assert ["SG-EGR-003", "metadata", "169.254.169.254:80"] in told["rules"]
    assert ["SG-EGR-004", "runtime_api", "127.0.0.1:9001"] in told["rules"]


def test_a_control_that_is_off_lets_its_addresses_pass() -> None:
    told = run(
        """
        with invocation(metadata="off") as made:
            tell(metadata=connect("169.254.169.254", 80), runtime=connect("127.0.0.1", 9001))
        with invocation(runtime_api="off"):
            tell(metadata2=connect("169.254.169.254", 80), runtime2=connect("127.0.0.1", 9001))
        with invocation(["a.example"], metadata="off"):
            tell(undeclared=connect("169.254.169.254", 80))
        with invocation(["169.254.169.254:80"], metadata="off"):
            tell(declared=connect("169.254.169.254", 80))
        with invocation(["169.254.169.254:80"]):
            tell(still=connect("169.254.169.254", 80))
        with invocation(["a.example"], egress="off"):
            tell(egress=connect(elsewhere, 443))
        """,
        elsewhere=ELSEWHERE,
    )
    assert [told["metadata"], told["runtime"], told["metadata2"], told["runtime2"]] == ["ok", "ActionBlocked", "ActionBlocked", "ok"]
    assert [told["undeclared"], told["declared"], told["still"], told["egress"]] == ["ActionBlocked", "ok", "ActionBlocked", "ok"]


def test_monitor_notes_once_and_lets_pass() -> None:
    told = run(
        """
        import socket
        with invocation(["declared.example"], egress="monitor", metadata="monitor") as made:
            answer = socket.getaddrinfo("undeclared.example", 443)
            got = [connect(answer[0][4][0], 443), connect(answer[0][4][0], 443), connect("169.254.169.254", 80)]
        tell(got=got, asked=asked, noted=[(finding.rule, finding.target) for finding in made.attempts])
        """,
        zone={"undeclared.example": [ELSEWHERE]},
        elsewhere=ELSEWHERE,
    )
    assert told["got"] == ["ok", "ok", "ok"]
    assert told["asked"] == ["undeclared.example"]
    assert told["noted"] == [["SG-EGR-001", "undeclared.example:443"], ["SG-EGR-003", "169.254.169.254:80"], ["SG-EGR-002", "169.254.169.254:80"]]


def test_metadata_in_monitor_mode_is_still_held_to_a_declared_list() -> None:
    told = run("with invocation(['a.example'], metadata='monitor') as made: tell(got=connect('169.254.169.254', 80))")
    assert told["got"] == "ActionBlocked"


def test_a_name_is_decided_before_the_query_leaves() -> None:
    told = run(
        """
        import socket
        with invocation(["api.example"]) as made:
            tell(refused=refused(socket.getaddrinfo, "secret.evil.example", 443), b=outcome(socket.getaddrinfo, b"evil.example", None))
            tell(by_name=[outcome(act, "evil.example") for act in (socket.gethostbyname, socket.gethostbyname_ex, socket.gethostbyaddr)])
            tell(ok=outcome(socket.getaddrinfo, "API.example.", 443), asked=asked, local=outcome(socket.getaddrinfo, "localhost", 1))
            tell(own=outcome(socket.getfqdn))
        """,
        zone={"api.example": [ELSEWHERE], "evil.example": [ELSEWHERE]},
    )
    assert told["refused"] == ["SG-EGR-001", "outbound call to `secret.evil.example:443` is not declared; add `secret.evil.example:443` to `egress`"]
    assert told["b"] == "ActionBlocked"
    assert told["by_name"] == ["ActionBlocked"] * 3
    assert told["ok"] == told["local"] == told["own"] == "ok"
    assert told["asked"] == ["api.example"]


def test_an_address_is_opened_by_the_name_that_gave_it_at_the_port_of_its_entry() -> None:
    told = run(
        """
        import socket
        entries = ["api.example", "db.internal:5432", "cache.internal:6379#private", "evil.example:*"]
        with invocation(entries) as made:
            tell(before=connect(elsewhere, 443))
            for name in ("api.example", "db.internal", "cache.internal", "evil.example"):
                socket.getaddrinfo(name, 443)
            tell(after=connect(elsewhere, 443), v6=connect("2001:db8::5", 443, family=10), port=refused(socket.create_connection, (elsewhere, 80), 1))
            tell(private=refused(socket.create_connection, ("10.1.2.3", 5432), 1), marked=connect("10.1.2.4", 6379), udp=connect(elsewhere, 443, 2))
            tell(never=[connect(host, 80) for host in ("127.0.0.1", "169.254.169.254", "169.254.1.1")])
        shield.forget()
        with invocation(entries):
            tell(forgotten=connect(elsewhere, 443))
        """,
        zone={
            "api.example": [ELSEWHERE, "2001:db8::5"],
            "db.internal": ["10.1.2.3"],
            "cache.internal": ["10.1.2.4"],
            "evil.example": ["127.0.0.1", "169.254.169.254", "169.254.1.1"],
        },
        elsewhere=ELSEWHERE,
    )
    assert told["before"] == "ActionBlocked"
    assert [told["after"], told["v6"], told["marked"]] == ["ok", "ok", "ok"]
    assert told["port"] == ["SG-EGR-001", "outbound call to `api.example:80` is not declared; add `api.example:80` to `egress`"]
    assert told["private"] == ["SG-EGR-001", "outbound call to `db.internal:5432` is at a private address; add `db.internal:5432#private` to `egress`"]
    assert told["udp"] == "ActionBlocked"
    assert told["never"] == ["ActionBlocked"] * 3
    assert told["forgotten"] == "ActionBlocked"


def test_grants_noted_at_start_count_and_stay_bounded() -> None:
    told = run(
        """
        import socket
        socket.getaddrinfo("api.example", 443)
        with invocation(["api.example"]):
            tell(start=connect(elsewhere, 443))
        for n in range(5000):
            shield._note(f"n{n}.example", f"198.18.{n >> 8}.{n & 255}")
        for n in range(100):
            shield._note(f"m{n}.example", "198.51.100.7")
        tell(addresses=len(shield._grants), names=len(shield._grants[hosts.read("198.51.100.7")]))
        """,
        zone={"api.example": [ELSEWHERE]},
        elsewhere=ELSEWHERE,
    )
    assert told["start"] == "ok"
    assert told["addresses"] <= 4096
    assert told["names"] <= 64


def test_an_entry_that_denies_wins_and_is_named() -> None:
    told = run(
        """
        import socket
        with invocation(["a.example:*", "**.a.example:*", "0.0.0.0/0:*", "!evil.a.example", "!203.0.113.0/24:22", "unix:/tmp/a", "!unix:/tmp/b"]):
            tell(name=refused(socket.getaddrinfo, "evil.a.example", 443), port=refused(socket.create_connection, (elsewhere, 22), 1), ok=connect(elsewhere, 23))
            tell(unix=[outcome(socket.socket(1).connect, "/tmp/a"), outcome(socket.socket(1).connect, "/tmp/b")])
        """,
        zone={"a.example": [ELSEWHERE], "evil.a.example": [ELSEWHERE]},
        elsewhere=ELSEWHERE,
    )
    assert told["name"] == ["SG-EGR-001", "outbound call to `evil.a.example:443` is denied by the entry `!evil.a.example` of `egress`"]
    assert told["port"] == ["SG-EGR-002", "outbound call to `203.0.113.5:22` is denied by the entry `!203.0.113.0/24:22` of `egress`"]
    assert told["ok"] == "ok"
    assert told["unix"] == ["FileNotFoundError", "ActionBlocked"]


def test_loopback_is_named_by_name_or_address() -> None:
    told = run(
        """
        with invocation(["localhost:5000"]):
            tell(by_name=[connect("127.0.0.1", 5000), connect("localhost", 5000), connect("::1", 5000, family=10), connect("127.0.0.1", 5001)])
        with invocation(["127.0.0.1:5000"]):
            tell(by_address=[connect("127.0.0.1", 5000), connect("localhost", 5000), connect("::1", 5000, family=10), connect("127.0.0.1", 5001)])
        with invocation([]):
            tell(none=[connect("127.0.0.1", 5000), connect("localhost", 5000)])
        """
    )
    assert told["by_name"] == told["by_address"] == ["ok", "ok", "ok", "ActionBlocked"]
    assert told["none"] == ["ActionBlocked"] * 2


def test_the_platforms_own_endpoints_need_no_entry() -> None:
    told = run(
        """
        with invocation([]):
            tell(xray=connect("169.254.100.1", 2000, 2), other=connect("169.254.100.1", 2001))
            tell(secrets=connect("localhost", 2773), v6=connect("::1", 2773, family=10))
        """,
        arm={"AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000", "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "2773"},
    )
    assert told == {"xray": "ok", "other": "ActionBlocked", "secrets": "ok", "v6": "ok"}


def test_snapstart_credentials_at_the_runtime_api_are_for_botocore_alone() -> None:
    told = run(
        """
        import types
        fetcher = types.ModuleType("botocore.utils")
        fetcher.connect = types.FunctionType(connect.__code__, fetcher.__dict__ | {"outcome": outcome}, "connect", connect.__defaults__)
        with invocation([]):
            tell(botocore=fetcher.connect("127.0.0.1", 9001), handler=connect("127.0.0.1", 9001))
        """,
        arm={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/2021-04-23/credentials"},
    )
    assert told == {"botocore": "ok", "handler": "ActionBlocked"}


def test_between_invocations_the_last_policy_stays_and_the_runtime_client_may_report() -> None:
    told = run(
        """
        with invocation(["127.0.0.1:9001", "a.example"]):
            tell(inside=connect("127.0.0.1", 9001))
        tell(runtime=connect("127.0.0.1", 9001), undeclared=connect(elsewhere, 443), metadata=connect("169.254.169.254", 80))
        with invocation():
            pass
        tell(open=connect(elsewhere, 443), runtime2=connect("127.0.0.1", 9001), metadata2=connect("169.254.169.254", 80))
        """,
        elsewhere=ELSEWHERE,
    )
    assert told["inside"] == "ActionBlocked"
    assert [told["runtime"], told["undeclared"], told["metadata"]] == ["ok", "ActionBlocked", "ActionBlocked"]
    assert [told["open"], told["runtime2"], told["metadata2"]] == ["ok", "ok", "ActionBlocked"]


def test_threads_executors_and_tasks_are_held_and_noted() -> None:
    told = run(
        """
        import asyncio, threading
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(1)
        pool.submit(int).result()  # its thread is older than the invocation
        got = {}
        def act(name, port):
            got[name] = connect(elsewhere, port)
        with invocation(["a.example"]) as made:
            for kind in (threading.Thread, lambda target, args: threading.Timer(0, target, args)):
                thread = kind(target=act, args=(str(len(got)), len(got) + 1))
                thread.start()
                thread.join()
            pool.submit(act, "pool", 10).result()
            async def main():
                await asyncio.to_thread(act, "to_thread", 11)
                await asyncio.get_running_loop().run_in_executor(None, act, "executor", 12)
                await asyncio.create_task(task())
            async def task():
                act("task", 13)
            asyncio.run(main())
        tell(got=got, noted=sorted(finding.target for finding in made.attempts))
        """,
        elsewhere=ELSEWHERE,
    )
    assert set(told["got"].values()) == {"ActionBlocked"}
    assert len(told["got"]) == 6
    assert told["noted"] == sorted(f"{ELSEWHERE}:{port}" for port in (1, 2, 10, 11, 12, 13))


def test_a_call_is_judged_by_its_own_invocation_and_a_stray_thread_by_all() -> None:
    told = run(
        """
        import asyncio, threading
        noted = {}
        async def one(name, entries):
            with invocation(entries) as made:
                await asyncio.sleep(0.01)
                tell(**{name: [connect("198.51.100.1", 443), connect("198.51.100.2", 443)]})
                await asyncio.sleep(0.05)
            noted[name] = [finding.target for finding in made.attempts]
        def stray():
            tell(stray=[connect("198.51.100.1", 443), connect("198.51.100.3", 443)])
        async def main():
            both = asyncio.gather(one("first", ["198.51.100.1", "198.51.100.3"]), one("second", ["198.51.100.2", "198.51.100.3"]))
            await asyncio.sleep(0.03)
            thread = threading.Thread(target=stray)
            thread.start()
            thread.join()
            await both
        asyncio.run(main())
        tell(noted=noted)
        """
    )
    assert told["first"] == ["ok", "ActionBlocked"]
    assert told["second"] == ["ActionBlocked", "ok"]
    assert told["stray"] == ["ActionBlocked", "ok"]
    assert told["noted"] == {"first": ["198.51.100.2:443"], "second": ["198.51.100.1:443"]}  # the stray thread asked for what the second had noted already


def test_a_nested_invocation_does_not_widen_the_outer_one() -> None:
    told = run(
        """
        with invocation(["198.51.100.1"]) as outer:
            with invocation(["198.51.100.1", "198.51.100.2"]) as inner:
                tell(got=[connect("198.51.100.1", 443), connect("198.51.100.2", 443)])
            tell(after=connect("198.51.100.1", 443))
        tell(noted=[len(outer.attempts), len(inner.attempts)])
        """
    )
    assert told == {"got": ["ok", "ActionBlocked"], "after": "ok", "noted": [1, 0]}


def test_what_an_invocation_leaves_behind_is_still_held() -> None:
    told = run(
        """
        import contextvars
        with invocation(["a.example"]):
            context = contextvars.copy_context()
        tell(alone=[context.run(connect, elsewhere, 443), context.run(connect, "127.0.0.1", 9001)])
        with invocation() as made:
            tell(beside=[context.run(connect, elsewhere, 443), context.run(connect, "169.254.169.254", 80)])
        tell(noted=[finding.target for finding in made.attempts])
        """,
        elsewhere=ELSEWHERE,
    )
    assert told["alone"] == ["ActionBlocked", "ActionBlocked"]
    assert told["beside"] == ["ok", "ActionBlocked"]
    assert told["noted"] == ["169.254.169.254:80"]


def test_a_swallowed_refusal_is_still_noted_and_the_notes_are_bounded() -> None:
    told = run(
        """
        with invocation([]) as made:
            for port in range(1, 500):
                connect("198.51.100.1", port)
        first = made.attempts[0]
        tell(count=len(made.attempts), first=[first.rule, first.control, first.target, first.cwe, first.title])
        """
    )
    assert told["count"] == 100
    assert told["first"] == ["SG-EGR-002", "egress", "198.51.100.1:1", 918, "Outbound call to an address that is not declared"]


def test_other_kinds_of_socket_and_listening_beyond_loopback() -> None:
    told = run(
        """
        import socket
        def listen(host, port, family=2):
            def act():
                with socket.socket(family) as sock:
                    sock.setsockopt(1, 2, 1)
                    sock.bind((host, port))
            return outcome(act)
        with invocation(["unix:/tmp/app.sock"]) as made:
            tell(families=[outcome(socket.socket, family, kind) for family, kind in [(17, 3), (16, 2), (40, 1), (2, 3), (38, 5)]])
            unix = socket.socket(1).connect
            tell(unix=refused(unix, "/tmp/other.sock"), abstract=outcome(unix, b"\\0other"), listed=outcome(unix, "/tmp/app.sock"))
            tell(listen=[listen("0.0.0.0", 8099), listen("", 8099), listen("::", 8099, 10)])
            tell(loopback=[listen("127.0.0.1", 8099), listen("localhost", 8099), listen("0.0.0.0", 0)])
            a, b = socket.socketpair()
            tell(pair=outcome(a.send, b"x"))
        with invocation():
            tell(open=[outcome(socket.socket(1).connect, "/tmp/other.sock"), listen("0.0.0.0", 8099)])
        """
    )
    assert told["families"] == ["ActionBlocked"] * 5
    assert told["unix"] == ["SG-EGR-005", "outbound call to `unix:/tmp/other.sock` is not declared; add `unix:/tmp/other.sock` to `egress`"]
    assert told["abstract"] == "ActionBlocked"
    assert told["listed"] == "FileNotFoundError"
    assert told["listen"] == ["ActionBlocked"] * 3
    assert told["loopback"] == ["ok"] * 3
    assert told["pair"] == "ok"
    assert told["open"] == ["FileNotFoundError", "ok"]


def test_a_host_name_handed_straight_to_connect_is_held_to_its_entry_and_to_what_it_answers() -> None:
    told = run(
        """
        import _socket
        def event(host, port=80):  # what C code raises; it has looked the name up by then
            return outcome(sys.audit, "socket.connect", _socket.socket(), (host, port))
        with invocation() as made:
            tell(undeclared=[event("rebind.example"), event("api.example"), event("no.such.name.invalid")])
        with invocation(["inner.example:80", "rebind.example:80", "api.example:80"]):
            tell(declared=[event("rebind.example"), event("inner.example"), event("api.example", 81), event("other.example"), event("api.example")])
        """,
        zone={"rebind.example": ["169.254.169.254"], "inner.example": ["10.0.0.1"], "api.example": [ELSEWHERE], "other.example": [ELSEWHERE]},
    )
    assert told["undeclared"] == ["ActionBlocked", "ok", "gaierror"]
    assert told["declared"] == ["ActionBlocked", "ActionBlocked", "ActionBlocked", "ActionBlocked", "ok"]


def test_a_host_name_handed_straight_to_a_socket_is_decided_before_the_query_leaves() -> None:
    for early in ("import socket", ""):
        told = run(
            f"""
            {early}
            shield.arm({{}})
            import socket
            def acts(host):
                stream, datagram = socket.socket(), socket.socket(2, 2)
                stream.setblocking(False)
                yield lambda: stream.connect_ex((host, 443))
                yield lambda: stream.connect((host.encode(), 443))
                yield lambda: datagram.sendto(b"x", (host, 443))
                yield lambda: datagram.sendto(b"x", 0, (host, 443))
                yield lambda: datagram.sendmsg([b"x"], [], 0, (host, 443))
            with invocation(["api.example", "udp://api.example:443"]) as made:
                tell(refused=[outcome(act) for act in acts("secret.evil.example")], asked=list(asked))
                tell(allowed=[outcome(act) for act in acts("api.example")], noted=[finding.target for finding in made.attempts])
                tell(local=outcome(socket.socket().connect, ("localhost", 1)))
            """,
            arm={},
            zone={"api.example": [ELSEWHERE], "secret.evil.example": [ELSEWHERE]},
        )
        assert told["refused"] == ["ActionBlocked"] * 5
        assert told["asked"] == []
        assert "ActionBlocked" not in told["allowed"]
        assert told["noted"] == ["secret.evil.example:443"]
        assert told["local"] == "ActionBlocked"


def test_an_allowance_opens_more_for_a_block_and_is_made_at_start() -> None:
    told = run(
        """
        import contextvars, socket, threading
        tell(other=[outcome(shield.Allowance, entry) for entry in ("aws:s3:GetObject", "!a.example", "*")])
        partner = shield.Allowance("198.51.100.9", "api.example", "169.254.169.254:*", reason="nightly export")
        with invocation(["198.51.100.1", "!198.51.100.9:22"]) as made:
            tell(before=connect("198.51.100.9", 443))
            with partner:
                tell(inside=[connect("198.51.100.9", 443), connect("198.51.100.1", 443), connect("198.51.100.8", 443), connect("169.254.169.254", 80)])
                socket.getaddrinfo("api.example", 443)
                tell(name=connect(elsewhere, 443), denied=connect("198.51.100.9", 22), nested=partner.__enter__() is partner)
                partner.__exit__()
                thread = threading.Thread(target=lambda: tell(stray=connect("198.51.100.9", 443)))
                thread.start(); thread.join()
            tell(after=connect("198.51.100.9", 443), forged=outcome(shield.Allowance, "203.0.113.5"))
        tell(later=outcome(shield.Allowance, "203.0.113.5"))
        """,
        zone={"api.example": [ELSEWHERE]},
        elsewhere=ELSEWHERE,
    )
    assert told["inside"] == ["ok", "ok", "ActionBlocked", "ActionBlocked"]
    assert told["before"] == told["after"] == told["denied"] == "ActionBlocked"
    assert told["name"] == "ok"
    assert told["other"] == ["PolicyError"] * 3
    assert told["forged"] == told["later"] == "GuardError"
    assert told["stray"] == "ActionBlocked"  # a thread without its context


def test_the_guards_own_calls_pass_between_invocations_only() -> None:
    told = run(
        """
        import contextvars
        outside = contextvars.copy_context()
        def own():
            with shield.Aside():
                return connect(elsewhere, 443)
        with invocation(["a.example"]) as made:
            tell(inside=own(), beside=outside.run(own))
        tell(after=own(), again=connect(elsewhere, 443))
        """,
        elsewhere=ELSEWHERE,
    )
    assert told == {"inside": "ActionBlocked", "beside": "ok", "after": "ok", "again": "ActionBlocked"}


def test_a_client_that_loads_late_is_covered_and_keeps_its_loader() -> None:
    told = run(
        """
        import tempfile, zipfile
        folder = tempfile.mkdtemp()
        with zipfile.ZipFile(folder + "/packed.zip", "w") as archive:  # one loader for all that is in it
            archive.writestr("botocore/__init__.py", "")
            archive.writestr("botocore/httpsession.py", "class URLLib3Session:\\n    def send(self, request): return 'sent'")
            archive.writestr("botocore/after.py", "fine = True")
        sys.path.insert(0, folder + "/packed.zip")
        with invocation(["a.example"]):
            import ssl
            from botocore import httpsession
            import botocore.after
            class Request: method, url = "GET", "https://undeclared.example/"
            tell(late=outcome(httpsession.URLLib3Session().send, Request), after=botocore.after.fine, loader=type(httpsession.__loader__).__name__)
            tell(ssl=[type(ssl.__spec__.loader).__name__, ssl.SSLContext.wrap_socket.__qualname__, hasattr(ssl.SSLContext.wrap_socket, "__wrapped__")])
            tell(missing=outcome(__import__, "no_such_module"))
        """
    )
    assert told["late"] == "ActionBlocked"
    assert told["after"]
    assert told["loader"] == "zipimporter"
    assert told["ssl"] == ["SourceFileLoader", "SSLContext.wrap_socket", True]
    assert told["missing"] == "ModuleNotFoundError"


def test_arming_twice_adds_one_hook_and_imports_no_socket() -> None:
    told = run(
        """
        calls = []
        real = sys.addaudithook
        sys.addaudithook = lambda hook: (calls.append(hook), real(hook))
        before = set(sys.modules)
        shield.arm({})
        shield.arm({})
        tell(hooks=len(calls), loaded=sorted(set(sys.modules) - before))
        """,
        arm={},
    )
    assert told == {"hooks": 1, "loaded": []}


def test_a_socket_module_imported_earlier_or_later_is_noted_alike() -> None:
    for early in ("import socket", ""):
        told = run(
            f"""
            {early}
            shield.arm({{}})
            import socket
            tell(names=[getattr(socket, name).__code__.co_filename.endswith("shield.py") for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr")])
            shield._grants.clear()
            socket.gethostbyname("localhost"); socket.getaddrinfo("localhost", 1)
            tell(loopback=len(shield._grants))
            """,
            arm={},
        )
        assert told == {"names": [True] * 3, "loopback": 0}
