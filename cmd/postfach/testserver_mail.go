package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
)

// readMail reads messages: a file is one, a folder has its .eml files, in the
// order of their names.
func readMail(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		files, err := mailFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			octets, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read a message: %w", err)
			}
			all = append(all, string(octets))
		}
	}
	return all, nil
}

func mailFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	var files []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.EqualFold(filepath.Ext(e.Name()), ".eml") {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if files == nil {
		return nil, hint.Add(fmt.Errorf("%s has no mail", path), "a folder's messages are files whose names end in .eml")
	}
	return files, nil
}
