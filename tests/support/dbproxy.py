"""Stands between sluice and PostgreSQL, on a unix socket, and cuts connections when told to.

    with DatabaseProxy(sluice) as proxy:
        service(set={"database.conninfo": proxy.conninfo})
        proxy.cut_at(b"name-of-a-file.txt", answered=True)

cut_at waits for this text in a statement or in its parameters (the text of a prepared statement is
sent only once). answered=True: the server gets it and has answered it before the connection is cut
(the answer is thrown away); False: the server never sees it.
refuse=True: from then on no connection is let in.
"""

import os
import shutil
import socket
import tempfile
import threading

READY = b"Z\0\0\0\5I"  # ReadyForQuery, idle: what was asked is committed


class DatabaseProxy:
    def __init__(self, instance):
        words = dict(word.split("=", 1) for word in instance.dsn.split())
        self.server = f"{words['host']}/.s.PGSQL.{words['port']}"
        self.dir = tempfile.mkdtemp(prefix="sluice-db-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.conninfo = f"host={self.dir} port={words['port']} dbname=sluice user={words['user']}"
        self.path = f"{self.dir}/.s.PGSQL.{words['port']}"
        self.rule = None
        self.refusing = False
        self.cuts = 0
        self.open = set()
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.refusing = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.drop_all()
        shutil.rmtree(self.dir, ignore_errors=True)

    def cut_at(self, text, answered, refuse=False):
        self.rule = (text, answered, refuse)

    def drop_all(self):
        with self.lock:
            pairs = list(self.open)
        for pair in pairs:
            self._drop(pair)

    def _drop(self, pair):
        with self.lock:
            self.open.discard(pair)
        for sock in pair:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.server)
            except OSError:
                client.close()
                server.close()
                continue
            pair = (client, server)
            with self.lock:
                self.open.add(pair)
            state = {"cut": False}
            threading.Thread(target=self._up, args=(pair, state), daemon=True).start()
            threading.Thread(target=self._down, args=(pair, state), daemon=True).start()

    def _up(self, pair, state):
        """From sluice to the server."""
        client, server = pair
        try:
            while True:
                data = client.recv(65536)
                if not data:
                    break
                rule = self.rule
                if rule and rule[0] in data:
                    self.rule = None
                    state["cut"] = True
                    self.cuts += 1
                    if rule[2]:
                        self.refusing = True
                    if not rule[1]:
                        break
                server.sendall(data)
        except OSError:
            pass
        self._drop(pair)

    def _down(self, pair, state):
        """From the server to sluice; after a cut the end of the answer ends the connection."""
        client, server = pair
        tail = b""
        try:
            while True:
                data = server.recv(65536)
                tail = (tail + data)[-len(READY):]
                if not data or (state["cut"] and tail == READY):
                    break
                if not state["cut"]:
                    client.sendall(data)
        except OSError:
            pass
        self._drop(pair)
