package ingest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Limits of an archive.
const (
	maxEntries      = 20_000
	maxUnpacked     = 128 << 20
	maxUnpackFactor = 4 // times MaxBytes
)

// isArchive reports whether content is a zip, tar or tar.gz file; a DOCX file,
// which is a zip file too, is none.
func isArchive(content []byte) bool {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return !isDOCX(&File{Content: content})
	case bytes.HasPrefix(content, []byte("\x1f\x8b")):
		return true
	}
	return isTar(content)
}

func isTar(content []byte) bool {
	return len(content) >= 512 && string(content[257:262]) == "ustar"
}

// parseArchive makes one source of all files in an archive. A file in it that
// cannot be read is a warning, as long as there is another that can.
func parseArchive(ctx context.Context, f *File, o Options) (Source, error) {
	u := unpacker{file: f, o: o, set: newFileSet(), left: max(o.MaxBytes, min(maxUnpackFactor*o.MaxBytes, maxUnpacked))}
	if err := u.unpack(); err != nil {
		return Source{}, err
	}
	o.Format = ""
	var (
		out    = Source{Name: f.Name, Warnings: u.warnings}
		first  error
		inside = make([]Source, len(u.files))
	)
	for i := range inLoadOrder(u.files) {
		s, err := parse(ctx, u.files[i], o)
		if ctx.Err() != nil {
			return Source{}, ctx.Err()
		}
		if err != nil {
			if first == nil {
				first = err
			}
			s.Warnings = append(s.Warnings, Warning{Message: err.Error()})
		}
		inside[i] = s
	}
	for i, s := range inside {
		out.include(s, u.files[i].path)
	}
	switch {
	case len(out.Documents) > 0:
		return out, nil
	case first != nil:
		return Source{}, first
	}
	return Source{}, &Error{File: f.Name, Err: ErrEmpty, Reason: "the archive holds no file of a format that is read"}
}

// include adds the documents of a file in an archive.
func (s *Source) include(inner Source, at string) {
	for _, d := range inner.Documents {
		d.Pointer = at + "#" + d.Pointer
		d.Metadata["source"] = string(inner.Format)
		d.Metadata["archive_path"] = at
		s.Documents = append(s.Documents, d)
	}
	if len(inner.Documents) > 0 {
		if s.Format == "" || s.Format == inner.Format {
			s.Format = inner.Format
		} else {
			s.Format = Archive
		}
	}
	for _, w := range inner.Warnings {
		if len(s.Warnings) < maxWarnings && inner.PartOf == "" {
			s.Warnings = append(s.Warnings, Warning{Where: at + "#" + w.Where, Message: w.Message})
		}
	}
}

// unpacker reads the files of an archive into memory.
type unpacker struct {
	file     *File
	o        Options
	set      *fileSet
	files    []*File
	left     int64 // bytes that may still be unpacked
	entries  int
	warnings []Warning
}

func (u *unpacker) fail(kind error, format string, args ...any) error {
	return &Error{File: u.file.Name, Err: kind, Reason: fmt.Sprintf(format, args...)}
}

func (u *unpacker) unpack() error {
	content := u.file.Content
	if bytes.HasPrefix(content, []byte("PK")) {
		return u.zip(content)
	}
	var in io.Reader = bytes.NewReader(content)
	if !isTar(content) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return u.fail(ErrSyntax, "the gzip file is damaged")
		}
		in = z
	}
	// Everything passes through here, also what is not kept.
	return u.tar(&budget{in: in, left: &u.left})
}

// errBudget says that an archive unpacks to too much.
var errBudget = errors.New("too much")

// budget is a reader that ends with an error when too much was read.
type budget struct {
	in   io.Reader
	left *int64
}

func (b *budget) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, errBudget
	}
	return n, err
}

func (u *unpacker) zip(content []byte) error {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return u.fail(ErrSyntax, "the zip file is damaged")
	}
	for _, entry := range z.File {
		name, wanted, err := u.wanted(entry.Name, entry.FileInfo().Mode().IsRegular())
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		if entry.Flags&1 != 0 {
			return u.fail(ErrEncrypted, "%s needs a password", name)
		}
		if entry.UncompressedSize64 > uint64(u.o.MaxBytes) {
			return u.fail(ErrTooLarge, "%s is larger than %d bytes", name, u.o.MaxBytes)
		}
		in, err := entry.Open()
		if err != nil {
			return u.fail(ErrSyntax, "%s cannot be unpacked", name)
		}
		err = u.keep(name, &budget{in: in, left: &u.left})
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) tar(in io.Reader) error {
	t := tar.NewReader(in)
	for {
		entry, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errBudget):
			return u.tooMuch()
		case err != nil:
			return u.fail(ErrSyntax, "the archive is damaged, or is no tar file")
		}
		name, wanted, err := u.wanted(entry.Name, entry.FileInfo().Mode().IsRegular())
		if err != nil {
			return err
		}
		if wanted {
			if err := u.keep(name, t); err != nil {
				return err
			}
		}
	}
}

// wanted cleans the name of an entry and says whether its format is one that is
// read. Links, hidden files and archives in the archive are not.
func (u *unpacker) wanted(name string, regular bool) (string, bool, error) {
	if u.entries++; u.entries > maxEntries {
		return "", false, u.fail(ErrTooLarge, "it has more than %d entries", maxEntries)
	}
	name = strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(strings.ToValidUTF8(name, "_"), `\`, "/")), "/")
	if !regular || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return "", false, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || part == "__MACOSX" || part == "node_modules" {
			return "", false, nil
		}
	}
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	known := slices.ContainsFunc(u.o.AllReaders(), func(r Reader) bool { return slices.Contains(r.Extensions, extension) })
	return name, known && extension != "", nil
}

// keep reads one file.
func (u *unpacker) keep(name string, in io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(in, u.o.MaxBytes+1))
	switch {
	case errors.Is(err, errBudget):
		return u.tooMuch()
	case err != nil:
		return u.fail(ErrSyntax, "%s cannot be unpacked", name)
	case int64(len(content)) > u.o.MaxBytes:
		return u.fail(ErrTooLarge, "%s is larger than %d bytes", name, u.o.MaxBytes)
	}
	// The name leads errors to the archive and the file in it.
	u.files = append(u.files, u.set.add(&File{Name: u.file.Name + "/" + name, Content: content}, name))
	return nil
}

func (u *unpacker) tooMuch() error {
	return u.fail(ErrTooLarge, "it unpacks to more than the limit of %d bytes", max(u.o.MaxBytes, min(maxUnpackFactor*u.o.MaxBytes, maxUnpacked)))
}
