package contract

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable says in plain text which containers and variables belong to which
// lane.
func WriteTable(w io.Writer, c *Contract) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range tableRows(c) {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return table.Flush()
}

func tableRows(c *Contract) [][]string {
	inputs := []string{c.Secrets.RootDSN, c.Secrets.AppDSN, c.Secrets.ServiceDSN}
	if c.Phase == P0 {
		inputs = nil
		for _, glob := range c.Secrets.Provisioning {
			if glob != c.Secrets.RootDSN {
				inputs = append(inputs, glob)
			}
		}
		inputs = append(inputs, c.Secrets.Components...)
	}
	list := func(words []string) string {
		if len(words) == 0 {
			return "-"
		}
		return strings.Join(words, " ")
	}
	rows := [][]string{
		{"PHASE", string(c.Phase)},
		{},
		{"ROLE", "CONTAINERS", "RECEIVES"},
		{string(Provisioner), list(c.Roles.Provisioner), list(inputs)},
		{string(Runtime), list(c.Roles.Runtime), list([]string{c.Secrets.AppDSN, c.Secrets.ServiceDSN})},
		{string(Database), list(c.Roles.Database), list(c.Secrets.Provisioning)},
		{string(Other), "every other", "no " + strings.Join(c.Secrets.Provisioning, ", no ")},
		{},
		{"CONTAINER", "REQUIRES", "ALSO ALLOWED    "},
	}
	for _, row := range c.Containers {
		rows = append(rows, []string{row.Name, list(row.Requires), list(row.Allows)})
	}
	return append(rows,
		[]string{},
		[]string{"NEVER IN RUNTIME", list(append(append([]string{}, c.Secrets.Provisioning...), c.Secrets.Components...))},
		[]string{"DENIED USERNAMES", list(c.Denylist)},
	)
}
