// The worker that a team at home in Go would write first: franz-go and net/http, exactly once by transactions, a batch at
// a time, no retries, no dead letters.
//
// A batch is polled and worked off, its results are produced, and results and offsets are committed in one transaction.
// So a batch waits for its slowest event, and the next one for the commit: that is how kgo.GroupTransactSession is used.
// It makes the same calls as the relay for the events of bench/mixes.py, knows no others, and ends with the first event
// that does not succeed, as bench/plain_worker.py does.
//
// Settings are those of the relay, read from the environment: RELAY_KAFKA__BOOTSTRAP_SERVERS, RELAY_KAFKA__GROUP_ID,
// RELAY_TOPICS__PREFIX, RELAY_FOLIO__URL, RELAY_FOLIO__TENANT, RELAY_FOLIO__TOKEN.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// concurrency is how many events are under way at a time, as in the other workers.
	concurrency = 256
	// batchRecords is the most that a transaction holds: with calls of a second each it still ends before the broker
	// gives it up. More of them gain nothing that could be measured.
	batchRecords = 2000
	// gcPercent collects less often than Go does by itself, for some 40 MiB and a twentieth of the processor time.
	gcPercent = 400
)

func main() {
	log.SetFlags(0)
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run works until ctx is done, which is no error.
func run(ctx context.Context) error {
	prefix, group := os.Getenv("RELAY_TOPICS__PREFIX"), os.Getenv("RELAY_KAFKA__GROUP_ID")
	// One worker on a host keeps its names over a restart: it has its partitions back at once, and ends the transaction
	// that it left open.
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(strings.Split(os.Getenv("RELAY_KAFKA__BOOTSTRAP_SERVERS"), ",")...),
		kgo.ConsumerGroup(group),
		kgo.InstanceID(host),
		kgo.ConsumeTopics(prefix+"holdings.changes"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.TransactionalID(group+"-"+host),
		kgo.DefaultProduceTopic(prefix+"holdings.results"),
		// As the other workers: the readers of results need no codec.
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	// At once rather than with the first result: offsets of a transaction that was left open keep the group's from us.
	if _, _, err := session.Client().ProducerID(ctx); err != nil {
		return err
	}
	systems := newSystems(os.Getenv("RELAY_FOLIO__URL"), os.Getenv("RELAY_FOLIO__TENANT"), os.Getenv("RELAY_FOLIO__TOKEN"))

	for {
		fetches := session.PollRecords(ctx, batchRecords)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		results, err := workOff(ctx, fetches.Records(), concurrency, systems.handle)
		if err != nil {
			return err
		}
		if len(results) > 0 {
			if err := publish(ctx, session, results); err != nil {
				return err
			}
		}
	}
}

// publish commits the results with the offsets of what was polled. After a rebalance neither is committed, and what is
// still ours is polled again.
func publish(ctx context.Context, session *kgo.GroupTransactSession, results []*kgo.Record) error {
	if err := session.Begin(); err != nil {
		return err
	}
	failed := kgo.AbortingFirstErrPromise(session.Client())
	for _, result := range results {
		session.Produce(ctx, result, failed.Promise())
	}
	// At once: no more will come, for which the producer would linger.
	err := errors.Join(session.Client().Flush(ctx), failed.Err())
	committed, ended := session.End(ctx, err == nil)
	if err := errors.Join(err, ended); err != nil {
		return err
	}
	if !committed {
		log.Print("the group was rebalanced: the batch is worked off again")
	}
	return nil
}

// handle carries an event out, and returns its result.
func (s *systems) handle(ctx context.Context, record *kgo.Record) (*kgo.Record, error) {
	var event event
	if err := json.Unmarshal(record.Value, &event); err != nil {
		return nil, fmt.Errorf("partition %d, offset %d: %w", record.Partition, record.Offset, err)
	}
	if err := s.carryOut(ctx, event.Data); err != nil {
		return nil, fmt.Errorf("event %s: %w", event.ID, err)
	}
	value, err := json.Marshal(resultOf(event.ID))
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Key: record.Key, Value: value}, nil
}
