"""The systems compared. Each listens on 127.0.0.1 only and keeps everything in a temporary folder."""
