// Compare measures Postfach and other POP3 servers in one run on one machine, and writes
// docs/performance.md: what each row of its table has to reach follows from what the others
// did in the same run. It is for a Debian with Go, as root; everything is on loopback and in
// a scratch folder, which goes at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

// options are the command line.
type options struct {
	rows   string // which rows, by name
	rounds int
	short  bool   // everything small: does it work
	out    string // the folder of performance.md
	from   string // results that were measured before
	list   bool
	files  int // that may be open
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) > 2 && args[0] == inetdCommand {
		return inetd(ctx, args[1], args[2:])
	}
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	o.files = raiseLimits()
	chosen, err := choose(rows(sessionsFor(o.files)), o.rows)
	switch {
	case err != nil:
		return err
	case o.list:
		return list(out, chosen)
	case o.from != "":
		res, err := readResults(o.from)
		if err != nil {
			return err
		}
		return write(res, o.folder(), out)
	}
	res, err := measureAll(ctx, o, chosen, progress)
	if err != nil {
		return err
	}
	if o.rows != "" && o.out == "" {
		return errors.Join(table(out, res), res.trouble()) // a part is not the document
	}
	return errors.Join(write(res, o.folder(), out), res.trouble())
}

func parse(args []string, out io.Writer) (o options, err error) {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.rows, "rows", "", "measure only the rows whose names match this `REGEXP`; without --out the table is printed and nothing is written")
	f.IntVar(&o.rounds, "rounds", 3, "how often each server is measured, in turns")
	f.BoolVar(&o.short, "short", false, "everything small, to see that it works: the figures mean nothing; with --out only")
	f.StringVar(&o.out, "out", "", "write performance.md and its plots into this `FOLDER` (docs)")
	f.StringVar(&o.from, "from", "", "measure nothing: write the document of this results.json `FILE`")
	f.BoolVar(&o.list, "list", false, "list the rows")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q: there are flags only", f.Arg(0))
	case o.rounds < 1 || o.rounds > 100:
		return o, errors.New("--rounds is 1 to 100")
	case o.short && o.out == "":
		return o, errors.New("--short measures nothing worth keeping: say where to with --out")
	}
	return o, nil
}

// folder is where the document goes.
func (o options) folder() string {
	if o.out != "" {
		return o.out
	}
	return "docs"
}

// choose returns the rows whose names match.
func choose(all []row, pattern string) (chosen []row, err error) {
	match, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil, fmt.Errorf("--rows: %w", err)
	}
	for _, r := range all {
		if pattern == "" || match.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("--rows: no row is called %q; --list has them", pattern)
	}
	return chosen, nil
}

func list(out io.Writer, all []row) error {
	for _, r := range all {
		if _, err := fmt.Fprintf(out, "%-18s %s\n", r.name, r.title); err != nil {
			return err
		}
	}
	return nil
}

// write writes everything into a folder, and the table on out.
func write(res *results, dir string, out io.Writer) error {
	plots := filepath.Join(dir, plotFolder)
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	if err := res.save(filepath.Join(plots, "results.json")); err != nil {
		return err
	}
	if err := res.plot(plots); err != nil {
		return err
	}
	if err := res.document(filepath.Join(dir, "performance.md")); err != nil {
		return err
	}
	return table(out, res)
}
