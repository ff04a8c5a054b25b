package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// prometheus writes the measurements for the textfile collector. The file is
// there as a whole or not at all: the collector reads it at any time. What is no
// file, such as /dev/stdout, is written to and not replaced.
func (r *diagnosisReport) prometheus(file string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		if err := r.prometheusTo(file); err != nil {
			return &exitError{err, exitUsage}
		}
		return nil
	}
	if to, err := filepath.EvalSymlinks(file); err == nil {
		file = to // a link stays one
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return &exitError{err, exitUsage}
	}
	defer os.Remove(temp.Name()) // it is gone when all went well
	_, err = temp.Write(r.metrics())
	if err == nil {
		err = temp.Chmod(0o644) // the collector is somebody else
	}
	if cerr := temp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return &exitError{err, exitUsage}
	}
	return nil
}

// prometheusTo writes them to a device or a pipe.
func (r *diagnosisReport) prometheusTo(device string) error {
	f, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(r.metrics())
	return errors.Join(err, f.Close())
}

// metrics are the measurements in Prometheus' text format.
func (r *diagnosisReport) metrics() []byte {
	var b bytes.Buffer
	host := fmt.Sprintf(`host="%s",user="%s"`, labelValue(r.d.Host), labelValue(r.d.User))
	metric := func(name, help string) {
		fmt.Fprintf(&b, "# HELP postfach_check_%s %s\n# TYPE postfach_check_%s gauge\n", name, help, name)
	}
	one := func(name, help string, value any) {
		metric(name, help)
		fmt.Fprintf(&b, "postfach_check_%s{%s} %v\n", name, host, value)
	}
	one("up", "1 if the server answers and the account, if any, was let in.", number(!r.d.Unreachable()))
	one("ok", "1 if nothing was found.", number(r.d.OK))
	one("findings", "What speaks against the connection.", r.findings())
	one("timestamp_seconds", "When the check began.", r.began.Unix())
	metric("phase_seconds", "How long each phase took.")
	for _, p := range r.phases() {
		fmt.Fprintf(&b, "postfach_check_phase_seconds{%s,phase=\"%s\"} %.6f\n", host, labelValue(p.Name), p.Time.Seconds())
	}
	if m := r.d.Maildrop; m != nil {
		one("messages", "Messages in the maildrop.", m.Count)
		one("octets", "Octets in the maildrop.", m.Octets)
	}
	if c := r.d.Used; c != nil && c.TLS != nil {
		one("certificate_trusted", "1 if the certificate is the host's and somebody trusted vouches for it.", number(c.TLS.Trusted))
		one("certificate_expiry_timestamp_seconds", "When the certificate expires.", c.TLS.Chain[0].NotAfter.Unix())
	}
	return b.Bytes()
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// labelValue escapes text for the value of a label.
func labelValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(visible(s))
}
