package main

import (
	"context"
	"database/sql"
	_ "embed" // for the schema
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/mattn/go-sqlite3"
)

const seedTimeout = 3 * time.Second // to wait for locks: several services may start at once

//go:embed schema.sql
var schema string

const (
	deleteDice = `DELETE FROM dice` // deletes their faces, too
	insertDie  = `INSERT INTO dice (identifier, position, error_rate) VALUES (?, ?, ?)`
	insertFace = `INSERT INTO faces (identifier, position, value) VALUES (?, ?, ?)`
)

// seedWhenFree calls seed, and retries for a while if another process has locked the database.
func seedWhenFree(ctx context.Context, db *sql.DB, all dice) error {
	attempt := func() (struct{}, error) {
		err := seed(ctx, db, all)
		if reason, _ := errors.AsType[sqlite3.Error](err); reason.Code != sqlite3.ErrBusy {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	_, err := backoff.Retry(ctx, attempt, backoff.WithMaxElapsedTime(seedTimeout))
	return err
}

// seed creates the tables if they don't exist, and replaces the dice in them. It is one transaction, so
// readers see either the old dice or the new ones, and if it fails, the old ones stay.
func seed(ctx context.Context, db *sql.DB, all dice) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	for _, statement := range []string{schema, deleteDice} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := insert(ctx, tx, all); err != nil {
		return err
	}
	return tx.Commit()
}

func insert(ctx context.Context, tx *sql.Tx, all dice) error {
	for i, identifier := range all.identifiers {
		d := all.byID[identifier]
		if _, err := tx.ExecContext(ctx, insertDie, identifier, i+1, *d.ErrorRate); err != nil {
			return fmt.Errorf("die %q: %w", identifier, err)
		}
		for j, value := range d.Faces {
			if _, err := tx.ExecContext(ctx, insertFace, identifier, j+1, value); err != nil {
				return fmt.Errorf("die %q, face %d: %w", identifier, j+1, err)
			}
		}
	}
	return nil
}
