package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ingestFiles uploads files, folders and standard input, a request each.
func ingestFiles(ctx context.Context, in invocation) error {
	flags := quietFlags("ingest")
	where := targetFlags(flags)
	name := flags.String("name", "stdin.md", "name of what comes from standard input")
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	if flags.NArg() == 0 {
		return usageError("it needs files, folders or -")
	}
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	files, err := listFiles(flags.Args(), cfg.AllowedExtensions)
	if err != nil {
		return err
	}
	a, err := where.open(ctx, in)
	if err != nil {
		return err
	}
	defer a.close()
	shown := newProgress(in.out, len(files))
	failed := 0
	for _, f := range files {
		said, err := a.upload(ctx, f, *name)
		if err != nil {
			failed++
			said = err.Error()
		}
		shown.step(f.path + ": " + said)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	shown.end()
	if failed > 0 {
		return fmt.Errorf("%d of %d files were not read", failed, len(files))
	}
	return nil
}

// localFile is a file and the name that the server is to know it by.
type localFile struct{ path, name string }

// listFiles returns the files of the arguments: each as it is, and of folders
// those with an extension that the server takes. A file of a folder is named by
// its place in it, so that two of the same name stay apart.
func listFiles(args, extensions []string) ([]localFile, error) {
	var files []localFile
	for _, arg := range args {
		if arg == "-" {
			files = append(files, localFile{path: "-"})
			continue
		}
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			extension := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
			if path != arg && (!d.Type().IsRegular() || !slices.Contains(extensions, extension)) {
				return nil
			}
			name := filepath.Base(path)
			if within, err := filepath.Rel(arg, path); err == nil && path != arg {
				name = strings.ReplaceAll(filepath.ToSlash(within), "/", ".")
			}
			files = append(files, localFile{path, name})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no files that end in %s", strings.Join(extensions, ", "))
	}
	return files, nil
}

// upload sends one file and says what it became.
func (a *api) upload(ctx context.Context, f localFile, stdin string) (string, error) {
	content, err := readInput(f.path)
	if err != nil {
		return "", err
	}
	if f.path == "-" {
		f.name = stdin
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("files", f.name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return "", err
	}
	var reply struct {
		Count        int
		NewCount     int `json:"new_count"`
		UpdatedCount int `json:"updated_count"`
		Files        []struct {
			Format   string
			Warnings []string
		}
	}
	err = a.do(ctx, http.MethodPost, "/documents/upload", form.FormDataContentType(), bytes.NewReader(body.Bytes()), &reply)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%d documents, %d new, %d updated", reply.Count, reply.NewCount, reply.UpdatedCount)
	for _, f := range reply.Files {
		said += ", " + f.Format
		if n := len(f.Warnings); n > 0 {
			said += fmt.Sprintf(", %d warnings, the first: %s", n, f.Warnings[0])
		}
	}
	return said, nil
}

// maxInput bounds a file that a command reads, in bytes.
const maxInput = 1 << 30

// readInput reads a file, or standard input for "-".
func readInput(path string) ([]byte, error) {
	from := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	content, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	if err == nil && len(content) > maxInput {
		err = fmt.Errorf("%s is larger than %d MB", path, maxInput>>20)
	}
	return content, err
}
