module github.com/api-assistant/api-assistant

go 1.26
