# SPDX-License-Identifier: AGPL-3.0-or-later
"""nginx: static files with sendfile, uploads with DAV PUT. No accounts, no hashes, nothing durable: the floor."""
import os

from measure.systems.server import Server, self_signed

CONFIG = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes auto;
{user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  types {{ application/json json; }}
  default_type application/octet-stream;
  client_max_body_size 0;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}{tls};
    {certificates}
    root {folder}/root;
    dav_methods PUT DELETE;
    create_full_put_path on;
    location = /healthz {{ return 200 ok; }}
  }}
}}
"""


class Nginx(Server):
    name = "nginx"
    label = "nginx"
    upload_path = "/"
    style = "put"

    def prepare(self):
        self.root = self.folder / "root"
        self.root.mkdir(exist_ok=True)
        certificates = ""
        if self.is_tls:
            certificate, key = self_signed(self.folder)
            certificates = f"ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;"
        (self.folder / "nginx.conf").write_text(CONFIG.format(
            folder=self.folder, port=self.port, tls=" ssl" if self.is_tls else "", certificates=certificates,
            user="user root;" if os.geteuid() == 0 else ""))

    def command(self):
        return ["/usr/sbin/nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"], None

    def headers(self):
        return []

    def new_folder(self, name):
        (self.root / name).mkdir()
        return []
