"""An identity provider on this machine, by real HTTP: discovery, keys, and tokens for machines.

Its keys can be rotated while it runs. What is asked of it is counted in `asked`, by path.
"""

import base64
import json
import time
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "tableau-de-bord", "a secret of a client"
AUDIENCE = "connecte"


class LocalIssuer:
    """One provider; `away`: it answers everything with 503."""

    def __init__(self, algorithm: str = "RS256") -> None:
        self.algorithm = algorithm
        self.asked: Counter[str] = Counter()
        self.away = False
        self.told: Mapping[str, Any] = {}
        self._count = 0
        self.rotate()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                self._answer(issuer.pages().get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
                if self.headers["authorization"] != f"Basic {known}":
                    self._answer({"error": "invalid_client"}, 401)
                elif parse_qs(body)["grant_type"] != ["client_credentials"]:
                    self._answer({"error": "unsupported_grant_type"}, 400)
                else:
                    token = issuer.token(sub=CLIENT, client_id=CLIENT)
                    self._answer({"access_token": token, "token_type": "Bearer"})

            def _answer(self, what: Any, status: int = 200) -> None:
                body = json.dumps(what).encode()
                status = 503 if issuer.away else 404 if what is None else status
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rotate(self) -> None:
        """From now on it signs with a new key, and the one before is not published any more."""
        self._count += 1
        told = {"kid": f"key-{self._count}", "use": "sig"}
        if self.algorithm.startswith("ES"):
            self.key: RSAKey | ECKey = ECKey.generate_key("P-256", told)
        else:
            self.key = RSAKey.generate_key(2048, told)

    def pages(self) -> dict[str, Any]:
        odd = [{"kty": "AKP", "kid": "of-tomorrow"}, "no key", {"kty": "RSA", "kid": "broken"}]
        shared = OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True)
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                **self.told,
            },
            "/keys": {"keys": [*odd, shared, self.key.as_dict(private=False)]},
        }

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "lise", "iat": now, "exp": now + 300}
        return {name: told for name, told in (claims | changes).items() if told is not None}

    def token(self, head: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A token as this issuer signs it; `changes` of None leave a claim out."""
        header = {"alg": self.algorithm, "kid": self.key.kid, **(head or {})}
        told = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(told, self.claims(**changes), self.key, algorithms=[self.algorithm])
