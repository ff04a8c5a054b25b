package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"postfach/internal/accounts"
	"postfach/internal/config"
	"postfach/internal/confine"
	"postfach/internal/datafolder"
	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// rulesFor is what the server needs for as long as it runs. Files are replaced by
// renaming, and Landlock knows files and not names: so it is their folders.
func rulesFor(cfg *config.Config, folder datafolder.Folder) confine.Rules {
	rules := confine.Rules{
		Write: slices.Concat([]string{string(folder)}, cfg.ConfineMail, maildirsElsewhere(cfg, folder)),
		Read:  []string{"/etc/localtime", "/usr/share/zoneinfo"}, // the log has local times
	}
	for _, name := range cfg.Files() {
		rules.Read = append(rules.Read, folderOf(name), folderOf(confine.Real(name)))
	}
	rules.Read = append(rules.Read, cfg.ConfineRead...)
	programs := cfg.Programs()
	if elsewhere(cfg) || len(programs) > 0 {
		rules.Connect = true
		rules.Read = append(rules.Read, nameService()...)
	}
	if len(programs) > 0 {
		for _, folder := range systemFolders {
			rules.Run = append(rules.Run, without(folder, rules.Write)...)
		}
		for _, name := range programs {
			rules.Run = append(rules.Run, folderOf(name), folderOf(confine.Real(name)))
		}
		rules.Bind = true
	}
	for _, list := range []*[]string{&rules.Write, &rules.Read, &rules.Run} {
		*list = slices.DeleteFunc(*list, func(path string) bool { return filepath.Clean(path) == "/" })
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return rules
}

// systemFolders are where helper programs have what they need: interpreters, libraries
// and other programs.
var systemFolders = []string{"/usr", "/bin", "/sbin", "/lib", "/lib64"}

// without is a folder, or what is in it beside the folders that the server can write to:
// mail in /usr/local/vmail, or in a /home that is /usr/home.
func without(folder string, writable []string) []string {
	above := func(name string) bool {
		return slices.ContainsFunc(writable, func(w string) bool {
			in, err := vfs.Inside(name, w)
			return in && err == nil && confine.Real(name) != confine.Real(w)
		})
	}
	if !above(folder) {
		return []string{folder}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return []string{folder}
	}
	var rest []string
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if !slices.ContainsFunc(writable, func(w string) bool { return confine.Real(w) == confine.Real(name) }) {
			rest = append(rest, without(name, writable)...)
		}
	}
	return rest
}

// checkPrograms refuses programs that lie where the server can write, or folders that
// it can write to and that lie where programs are run: whoever gets hold of it could
// then run what he has written.
func checkPrograms(cfg *config.Config, folder datafolder.Folder) error {
	if !cfg.Confine || len(cfg.Programs()) == 0 {
		return nil
	}
	write, run := rulesFor(cfg, folder).Overlap()
	if write == "" {
		return nil
	}
	err := fmt.Errorf("the server can write in %s, and is to run programs in %s", write, run)
	if slices.Contains(systemFolders, run) {
		return hint.Add(err, "keep mail and data elsewhere than where the system has its programs; or say confine = false")
	}
	return hint.Add(err, "put helper programs into a folder of its own, beside all mail, such as /usr/local/libexec; or say confine = false")
}

// folderOf is the folder that a file is in. For one directly below the root, as in
// a container, it is the file: else nothing would be given up.
func folderOf(name string) string {
	if dir := filepath.Dir(name); dir != "/" {
		return dir
	}
	return name
}

// elsewhere reports whether the server asks other machines.
func elsewhere(cfg *config.Config) bool {
	return cfg.OIDC.Issuer != "" || len(cfg.TLS.ACME.Hosts) > 0 ||
		slices.ContainsFunc(cfg.Sources, func(s config.Source) bool { return s.URL != "" })
}

// nameService is what finding other machines, and trusting them, needs. In /etc
// files are replaced at any time, by DHCP for one: so all of it may be read that
// the server's user may read.
func nameService() []string {
	paths := []string{
		"/etc", filepath.Dir(confine.Real("/etc/resolv.conf")),
		"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", // C libraries bring modules along for it
	}
	if name := os.Getenv("SSL_CERT_FILE"); name != "" {
		paths = append(paths, filepath.Dir(name))
	}
	return append(paths, filepath.SplitList(os.Getenv("SSL_CERT_DIR"))...)
}

// maildirsElsewhere are the folders of maildrops that configuration and account
// files name now.
func maildirsElsewhere(cfg *config.Config, folder datafolder.Folder) []string {
	var folders []string
	files := []string{cfg.Accounts, folder.Accounts()}
	for _, s := range cfg.Sources {
		files = append(files, s.Path)
		if before, _, ok := strings.Cut(s.Maildir, "{"); ok && filepath.IsAbs(before) {
			folders = append(folders, filepath.Dir(before+"x"))
		} else if s.Maildir != "" {
			folders = append(folders, s.Maildir)
		}
	}
	for _, name := range files {
		if name == "" {
			continue
		}
		list, err := accounts.Editor{Path: name, Shared: folder.Outside(name)}.List()
		if err != nil {
			continue // whoever loads the accounts says so
		}
		for _, a := range list {
			if a.Maildir != "" {
				folders = append(folders, a.Maildir)
			}
		}
	}
	return folders
}
