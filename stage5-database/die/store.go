package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

const (
	selectIdentifiers = `SELECT identifier FROM dice ORDER BY position`
	selectDie         = `SELECT error_rate, value FROM dice JOIN faces USING (identifier) WHERE identifier = ? ORDER BY faces.position`
)

// store looks up dice in a database.
type store struct {
	db               *sql.DB
	pool             metric.Registration
	identifiers, die *sql.Stmt
}

// unknownError means that there is no die with the requested identifier.
type unknownError string

func (e unknownError) Error() string { return string(e) }

// openStore opens the database and puts the dice into it. Its error says what to do if that is known. The caller must
// call close, unless openStore returns an error.
func openStore(ctx context.Context, file string, all dice) (*store, error) {
	db, err := openDatabase(file)
	if err != nil {
		return nil, err
	}
	s := &store{db: db}
	if err := s.start(ctx, file, all); err != nil {
		return nil, errors.Join(advise(err), s.close())
	}
	return s, nil
}

func (s *store) start(ctx context.Context, file string, all dice) (err error) {
	if err := seedWhenFree(ctx, s.db, all); err != nil {
		return err
	}
	if s.identifiers, err = s.db.PrepareContext(ctx, selectIdentifiers); err != nil {
		return err
	}
	if s.die, err = s.db.PrepareContext(ctx, selectDie); err != nil {
		return err
	}
	s.pool, err = otelsql.RegisterDBStatsMetrics(s.db, otelsql.WithAttributes(
		semconv.DBSystemNameSQLite, semconv.DBClientConnectionPoolName(filepath.Base(file))))
	return err
}

// close closes the database. It unregisters the pool's metrics first, because they would query a closed database.
func (s *store) close() error {
	var err error
	if s.pool != nil {
		err = s.pool.Unregister()
	}
	return errors.Join(err, s.db.Close())
}

// list returns all identifiers, in the order of the file.
func (s *store) list(ctx context.Context) ([]string, error) {
	rows, err := s.identifiers.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var identifier string
		if err := rows.Scan(&identifier); err != nil {
			return nil, err
		}
		all = append(all, identifier)
	}
	return all, rows.Err()
}

// find returns the die with this identifier. If there is none, its error is an [unknownError] that lists the known dice.
func (s *store) find(ctx context.Context, identifier string) (die, error) {
	found, err := s.lookUp(ctx, identifier)
	if err != nil || len(found.Faces) > 0 {
		return found, err
	}
	known, err := s.list(ctx)
	if err != nil {
		return die{}, err
	}
	return die{}, unknownError(fmt.Sprintf("unknown die %.40q: must be one of %s", identifier, strings.Join(known, ", ")))
}

// lookUp returns a die without faces if there is no die with this identifier.
func (s *store) lookUp(ctx context.Context, identifier string) (die, error) {
	rows, err := s.die.QueryContext(ctx, identifier)
	if err != nil {
		return die{}, err
	}
	defer rows.Close()
	var found die
	for rows.Next() {
		var value int
		if err := rows.Scan(&found.ErrorRate, &value); err != nil {
			return die{}, err
		}
		found.Faces = append(found.Faces, value)
	}
	return found, rows.Err()
}
