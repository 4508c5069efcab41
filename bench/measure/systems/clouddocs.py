# SPDX-License-Identifier: AGPL-3.0-or-later
"""The server of this project, in its embedded profile. Limits are raised out of the way; nothing else is changed."""
import time

from measure.systems.server import Server, self_signed

PASSWORD = "a long bench passphrase"
EMAIL = "bench@example.org"


class CloudDocs(Server):
    name = "clouddocs"
    label = "CloudDocs"
    upload_path = "/api/files/upload"
    ws_path = "/api/sync/ws"
    style = "multipart"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._token, self._token_time = None, 0

    def command(self):
        command = [self.bench.program("clouddocsd"), "serve", "--data", self.folder / "data",
                   "--listen", f"127.0.0.1:{self.port}", "--log-level", "error"]
        if self.is_tls:
            certificate, key = self_signed(self.folder)
            command += ["--tls-certificate", certificate, "--tls-key", key]
        plan = {"STORAGE": "900G", "MAX_FILE_SIZE": "900G", "DEVICES": "100000"}
        env = {f"CLOUDDOCS_PLANS__FREE__{key}": value for key, value in plan.items()}
        env |= {f"CLOUDDOCS_RATE_LIMITS__{key}": "1000000000"
                for key in ("ANONYMOUS_PER_MINUTE", "SESSION_PER_MINUTE", "FAILED_LOGINS")}
        return command, env

    def token(self):
        """An access token with at least 5 minutes left."""
        if time.monotonic() - self._token_time > 600:
            action = "login" if self._token else "register"
            client = self.client()
            answer = client.json("POST", f"/api/auth/{action}", {"email": EMAIL, "password": PASSWORD})
            client.close()
            self._token, self._token_time = answer["access_token"], time.monotonic()
        return self._token

    def headers(self):
        return [f"Authorization: Bearer {self.token()}"]

    def new_folder(self, name):
        """The upload fields that put files into a new folder."""
        answer = self.client().json("POST", "/api/files/folders", {"filename": name}, self.token())
        return [f"parent_id={answer['id']}"]
