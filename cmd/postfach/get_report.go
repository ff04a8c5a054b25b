package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"postfach/fetch"
)

// A getReport shows a run: a progress bar on a terminal, lines elsewhere, or
// JSON for programs.
type getReport struct {
	out      *bufio.Writer
	err      io.Writer
	json     *json.Encoder // nil: for people
	terminal bool
	bar      *progressbar.ProgressBar
}

func newGetReport(out, err io.Writer, asJSON, terminal bool) *getReport {
	r := &getReport{out: bufio.NewWriter(out), err: err, terminal: terminal}
	if asJSON {
		r.json = json.NewEncoder(r.out)
		r.json.SetEscapeHTML(false)
	}
	return r
}

// getEvent is a line of --json; see getCmd.Help.
type getEvent struct {
	Event     fetch.Kind `json:"event"`
	Number    int        `json:"number,omitempty"`
	ID        string     `json:"id,omitempty"`
	Messages  *int       `json:"messages,omitempty"`
	Octets    *int64     `json:"octets,omitempty"`
	Announced int64      `json:"announced,omitempty"`
	Text      string     `json:"text,omitempty"`
	Error     string     `json:"error,omitempty"`
}

func (r *getReport) event(e fetch.Event) {
	if r.json != nil {
		r.encode(e)
	}
	if e.Kind == fetch.Planned && r.terminal && e.Octets > 0 {
		r.bar = progressbar.NewOptions64(e.Octets,
			progressbar.OptionSetWriter(r.err), progressbar.OptionSetDescription(messages(e.Messages)),
			progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth())
	}
	if line := describe(e); line != "" && (r.json == nil || e.Err != nil) {
		r.say(line)
	}
	if e.Kind == fetch.Fetched && r.json == nil && !r.terminal {
		fmt.Fprintf(r.out, "fetched message %d, %d octets\n", e.Number, e.Octets)
	}
}

func (r *getReport) encode(e fetch.Event) {
	line := getEvent{
		Event: e.Kind, Number: e.Number, ID: string(e.ID), Announced: e.Announced, Text: e.Text,
	}
	switch e.Kind {
	case fetch.Planned:
		line.Messages, line.Octets = &e.Messages, &e.Octets
	case fetch.Fetched, fetch.SizeDiffers:
		line.Octets = &e.Octets
	}
	if e.Err != nil {
		line.Error = visible(e.Err.Error())
	}
	r.json.Encode(line)
}

// describe returns what a person should know about an event, or "".
func describe(e fetch.Event) string {
	switch e.Kind {
	case fetch.Failed:
		return fmt.Sprintf("message %d failed: %v", e.Number, e.Err)
	case fetch.NotDeleted:
		return fmt.Sprintf("message %d was not deleted: %v", e.Number, e.Err)
	case fetch.SizeDiffers:
		return fmt.Sprintf("message %d has %d octets; the server announced %d", e.Number, e.Octets, e.Announced)
	case fetch.Warning:
		return "warning: " + e.Text
	}
	return ""
}

// say writes a line beside the progress bar.
func (r *getReport) say(line string) {
	r.flush()
	if r.bar != nil {
		r.bar.Clear()
	}
	fmt.Fprintln(r.err, visible(line))
}

// flush shows what event has told.
func (r *getReport) flush() { r.out.Flush() }

func (r *getReport) progress(octets int) {
	if r.bar != nil {
		r.bar.Add(octets)
	}
}

// getDone is the last line of --json.
type getDone struct {
	Event   string `json:"event"`
	Listed  int    `json:"listed"`
	Known   int    `json:"known"`
	Fetched int    `json:"fetched"`
	Octets  int64  `json:"octets"`
	Failed  int    `json:"failed"`
	Deleted int    `json:"deleted"`
	Refused int    `json:"not-deleted"`
	Exit    int    `json:"exit"`
	Error   string `json:"error,omitempty"`
}

// done ends the report.
func (r *getReport) done(result fetch.Result, err error) {
	defer r.flush()
	if r.bar != nil {
		r.bar.Finish()
	}
	if r.json != nil {
		line := getDone{
			Event: "done", Listed: result.Listed, Known: result.Known, Fetched: result.Fetched,
			Octets: result.Octets, Failed: result.Failed, Deleted: result.Deleted, Refused: result.NotDeleted, Exit: exitCode(err),
		}
		if err != nil {
			line.Error = err.Error()
		}
		r.json.Encode(line)
		return
	}
	if err != nil && result.Listed == 0 {
		return // nothing was done; the error says why
	}
	text := fmt.Sprintf("%s fetched, %d known before", messages(result.Fetched), result.Known)
	if result.Deleted > 0 {
		text += fmt.Sprintf(", %d deleted on the server", result.Deleted)
	}
	fmt.Fprintln(r.out, text)
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}

// exitCode returns what the program will exit with.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	}
	return exitFailed
}
