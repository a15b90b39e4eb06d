-- Prosody as Debian packages it, reduced to the needs of the bench: a multi-user chat with its archive, over
-- websockets. Its rate limits are off, like those of this server. It writes its archive to files that it does not
-- sync: a weaker promise than the majority write of the others, which makes it faster here.
run_as_root = true
pidfile = os.getenv("FOLDER") .. "/prosody.pid"
data_path = os.getenv("FOLDER")
certificates = os.getenv("FOLDER")
storage_archive_item_limit = 10000000
log = { warn = os.getenv("FOLDER") .. "/prosody.log" }

modules_enabled = { "saslauth", "disco", "ping", "websocket" }
modules_disabled = { "s2s", "tls", "limits" }
authentication = "anonymous"
c2s_require_encryption = false
consider_websocket_secure = true
c2s_ports = {}
s2s_ports = {}
c2s_direct_tls_ports = {}
https_ports = {}
http_ports = { tonumber(os.getenv("PORT")) }
http_interfaces = { "127.0.0.1" }
http_default_host = "localhost"

VirtualHost "localhost"

Component "rooms.localhost" "muc"
    modules_enabled = { "muc_mam" }
    muc_room_locking = false
    muc_log_by_default = true
    muc_log_presences = false
    muc_room_default_history_length = 0
