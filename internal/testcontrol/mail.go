package testcontrol

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"postfach/maildrop"
	"postfach/pop3test"
)

func (c *Control) putMail(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMail))
	if err != nil {
		return problem{fmt.Errorf("the message did not come: %w", err), http.StatusBadRequest}
	}
	id, err := c.Server.Put(r.PathValue("user"), string(body))
	if err != nil {
		return noUser(err)
	}
	answer(w, http.StatusCreated, map[string]string{"id": string(id)})
	return nil
}

// noUser gives an account that is not there its status.
func noUser(err error) error {
	if errors.Is(err, maildrop.ErrNoUser) {
		return problem{err, http.StatusNotFound}
	}
	return err
}

func (c *Control) listMail(w http.ResponseWriter, r *http.Request) error {
	all, err := c.Server.Messages(r.PathValue("user"))
	if err != nil {
		return noUser(err)
	}
	type message struct {
		ID     string `json:"id"`
		Octets int    `json:"octets"`
	}
	list := make([]message, 0, len(all))
	for _, m := range all {
		list = append(list, message{string(m.ID), len(m.Octets)})
	}
	answer(w, http.StatusOK, list)
	return nil
}

func (c *Control) getMail(w http.ResponseWriter, r *http.Request) error {
	m, err := c.message(r.PathValue("user"), r.PathValue("id"))
	if err != nil {
		return err
	}
	octets(w, "message/rfc822", m.Octets)
	return nil
}

func (c *Control) message(user, id string) (pop3test.Message, error) {
	all, err := c.Server.Messages(user)
	if err != nil {
		return pop3test.Message{}, noUser(err)
	}
	for _, m := range all {
		if string(m.ID) == id {
			return m, nil
		}
	}
	return pop3test.Message{}, wrong(http.StatusNotFound, "there is no message %q", id)
}
