#!/bin/sh
# Backs the running server up, checks the backup, and keeps those of 30 days.
# cron, daily at 2: 0 2 * * * BACKUP_DIR=/backups CHROMA_PERSIST_DIR=/var/lib/api-assistant/chroma_db /path/to/backup.sh
set -eu
: "${BACKUP_DIR:?the folder of the backups}" "${CHROMA_PERSIST_DIR:?the data directory}"
server=${SERVER:-api-assistant}
file=$BACKUP_DIR/api-assistant-$(date +%Y%m%d-%H%M%S).tar
"$server" backup "$file" # writes the file under its name only when it is whole
# Elsewhere, too (needs the AWS command line and an account):
# aws s3 cp "$file" s3://your-bucket/backups/
find "$BACKUP_DIR" -name 'api-assistant-*.tar' -mtime +30 -delete
