package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// invocation is what a command has to work with.
type invocation struct {
	args     []string // behind the command's name
	environ  []string
	dotenv   string // path of the .env file
	out, log io.Writer
}

// variable returns a variable of the environment that is no setting of the server.
func (in invocation) variable(name string) string {
	for _, kv := range in.environ {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v
		}
	}
	return ""
}

// command is one thing that the program does.
type command struct {
	name, usage, does string
	run               func(context.Context, invocation) error
}

// commands returns them in the order of the help.
func commands() []command {
	return []command{
		{"serve", "serve", "answer requests until SIGTERM (the default)", func(ctx context.Context, in invocation) error {
			return run(ctx, in.environ, in.dotenv, in.out, in.log)
		}},
		{"keygen", "keygen [-n KEYS]", "print a new SECRET_KEY and API_KEYS", keygen},
		{"check", "check", "hold the configuration to the security checklist", check},
		{"health", "health [-url URL]", "ask a running server whether it lives", health},
		{"ingest", "ingest [-url URL] [-name NAME] FILE|DIR|- …", "upload files", ingestFiles},
		{"search", "search [-url URL] [-n N] [-mode MODE] QUERY", "find documents", search},
		{"ask", "ask [-url URL] QUESTION", "answer a question, with its sources checked", ask},
		{"verify", "verify [-url URL | -spec FILE …] [-format text|json|sarif] FILE|-", "look up the endpoints that a text mentions; 1 if one does not exist", verifyText},
		{"diff", "diff [-format text|json] OLD NEW", "say what differs between two versions of an API; 1 if it breaks clients", diff},
		{"gaps", "gaps [-url URL]", "list what the documentation of the APIs leaves open", gaps},
		{"backup", "backup FILE.tar", "copy the documents, also while a server runs", backup},
		{"restore", "restore [-force] FILE.tar", "put a backup into the data directory", restore},
		{"export", "export [FILE]", "write the documents as JSON lines", exportLines},
		{"import", "import FILE|-", "read an export", importLines},
		{"reembed", "reembed", "make vectors with another embedder; the server must be stopped", reembed},
	}
}

// errNotOK ends a command whose finding, already printed, is not good.
var errNotOK = errors.New("not ok")

// dispatch runs the command that args name and returns the exit code: 0 for
// success, 1 for a failure or a finding, 2 for a wrong call.
func dispatch(ctx context.Context, in invocation) int {
	name := "serve"
	if len(in.args) > 0 {
		name, in.args = in.args[0], in.args[1:]
	}
	if name == "help" || name == "-h" || name == "--help" {
		help(in.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		err := c.run(ctx, in)
		var usage usageError
		switch {
		case err == nil:
			return 0
		case errors.As(err, &usage):
			fmt.Fprintf(in.log, "server %s: %v\nusage: server %s\n", name, err, c.usage)
			return 2
		case !errors.Is(err, errNotOK):
			fmt.Fprintln(in.log, "server:", err)
		}
		return 1
	}
	fmt.Fprintf(in.log, "server: there is no command %q\n", name)
	help(in.log)
	return 2
}

// usageError is a mistake in how a command was called.
type usageError string

func (e usageError) Error() string { return string(e) }

func help(w io.Writer) {
	fmt.Fprintln(w, "usage: server [COMMAND]")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\n%s%s\n", c.usage, strings.Repeat(" ", 8), c.does)
	}
	fmt.Fprintln(w, "Without -url a command uses the data directory; the key for -url is read from API_KEY.")
	fmt.Fprintln(w, "Exit codes: 0 success, 1 a failure or a finding, 2 a wrong call.")
}
