package main

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// sumsName is the last file of a backup, which is a tar: what `sha256sum -c` reads.
const sumsName = "SHA256SUMS"

// maxBackup bounds what restore writes, in bytes.
const maxBackup = 1 << 40

// backup writes the documents as they are at its beginning, while others write.
func (l dataset) backup(ctx context.Context, w io.Writer) error {
	source, ok := l.store.(vectorstore.Snapshotter)
	if !ok {
		return errors.New("this store has no snapshots")
	}
	// A tar says how long a file is before the file.
	f, err := os.CreateTemp("", "backup*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sum := sha256.New()
	if err := source.Snapshot(ctx, io.MultiWriter(f, sum)); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	name := l.name + ".db"
	sums := fmt.Sprintf("%x  %s\n", sum.Sum(nil), name)
	to := tar.NewWriter(w)
	for _, part := range []struct {
		name string
		size int64
		from io.Reader
	}{{name, size, f}, {sumsName, int64(len(sums)), strings.NewReader(sums)}} {
		if err := to.WriteHeader(&tar.Header{Name: part.name, Mode: 0o600, Size: part.size}); err != nil {
			return err
		}
		if _, err := io.Copy(to, part.from); err != nil {
			return err
		}
	}
	return to.Close()
}

// backup writes a backup to a file, which has its name only when it is whole.
func backup(ctx context.Context, in invocation) error {
	if len(in.args) != 1 || strings.HasPrefix(in.args[0], "-") {
		return usageError("it needs the file to write")
	}
	to, err := os.CreateTemp(filepath.Dir(in.args[0]), ".backup*")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name())
	defer to.Close()
	if err := in.copyData(ctx, "/backup", dataset.backup, to); err != nil {
		return err
	}
	if _, err := to.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := unpack(to, ""); err != nil {
		return fmt.Errorf("the backup is not whole: %w", err)
	}
	if err := errors.Join(to.Sync(), to.Close()); err != nil {
		return err
	}
	if err := os.Rename(to.Name(), in.args[0]); err != nil {
		return err
	}
	fmt.Fprintln(in.out, "wrote", in.args[0])
	return nil
}

// copyData writes what the server that has the data directory open sends for a
// path, or without a server, what write makes of the directory.
func (in invocation) copyData(ctx context.Context, path string, write func(dataset, context.Context, io.Writer) error, to io.Writer) error {
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	body, err := admin(ctx, cfg.DataDir, "GET", path, nil)
	switch {
	case err == nil:
		defer body.Close()
		_, err = io.Copy(to, body)
		return err
	case !errors.Is(err, errNoServer):
		return err
	}
	l, err := openLocal(ctx, in, cfg, false)
	if err != nil {
		return err
	}
	return errors.Join(write(l, ctx, to), l.corpus.Close())
}

// unpack reads a backup, into a directory unless it is empty, checks it, and
// returns the names of its files.
func unpack(r io.Reader, dir string) (names []string, err error) {
	from, sums := tar.NewReader(r), ""
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("its checksums are missing: it was cut off")
		}
		if err != nil {
			return nil, err
		}
		if h.Name == sumsName {
			given, err := io.ReadAll(io.LimitReader(from, 64<<10))
			if err != nil {
				return nil, err
			}
			if len(names) == 0 || string(given) != sums {
				return nil, errors.New("its checksums do not agree: it is damaged")
			}
			return names, nil
		}
		if h.Name != filepath.Base(h.Name) || !strings.HasSuffix(h.Name, ".db") || h.Size > maxBackup || len(names) > 15 {
			return nil, errors.New("it is not a backup of this program")
		}
		sum, err := save(from, dir, h.Name)
		if err != nil {
			return nil, err
		}
		names, sums = append(names, h.Name), sums+sum+"  "+h.Name+"\n"
	}
}

// save writes a file, unless dir is empty, and returns its checksum.
func save(from io.Reader, dir, name string) (string, error) {
	sum := sha256.New()
	if dir == "" {
		_, err := io.Copy(sum, from)
		return hex.EncodeToString(sum.Sum(nil)), err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.MultiWriter(f, sum), from)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Sync(), f.Close())
}

// restore puts a backup into the data directory, after it has been checked.
func restore(ctx context.Context, in invocation) error {
	flags := quietFlags("restore")
	force := flags.Bool("force", false, "replace the documents that are there")
	if err := flags.Parse(in.args); err != nil || flags.NArg() != 1 {
		return usageError("it needs the file to read")
	}
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	from, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer from.Close()
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(cfg.DataDir, ".restore*") // on the same file system
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	names, err := unpack(from, dir)
	if err != nil {
		return fmt.Errorf("%s: %w", flags.Arg(0), err)
	}
	for _, name := range names {
		if err := openable(dir, name); err != nil {
			return fmt.Errorf("%s: %w", flags.Arg(0), err)
		}
		target := filepath.Join(cfg.DataDir, name)
		if _, err := os.Stat(target); err == nil {
			if !*force {
				return fmt.Errorf("%s is there already: -force replaces it", target)
			}
			if err := openable(cfg.DataDir, name); errors.Is(err, vectorstore.ErrLocked) {
				return errors.New("a server has the data directory open: stop it first")
			}
		}
		if err := os.Rename(filepath.Join(dir, name), target); err != nil {
			return err
		}
		fmt.Fprintln(in.out, "restored", target)
	}
	return nil
}

// openable reports whether a file is a whole store that nobody has open.
func openable(dir, name string) error {
	s, err := chromem.Open(chromem.Config{Dir: dir, Collection: strings.TrimSuffix(name, ".db")})
	if err != nil {
		return err
	}
	return s.Close()
}
