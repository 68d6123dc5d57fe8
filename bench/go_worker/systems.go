package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"
)

const (
	jsonAPI   = "application/vnd.api+json"
	plainJSON = "application/json"
	// callSeconds is what a call may take.
	callSeconds = 30 * time.Second
)

// systems makes the calls, over connections that are kept.
type systems struct {
	client  *http.Client
	url     string
	headers map[string]http.Header
}

func newSystems(url, tenant, token string) *systems {
	transport := &http.Transport{
		MaxConnsPerHost:     concurrency,
		MaxIdleConns:        concurrency,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
	headers := make(map[string]http.Header)
	for _, mediaType := range []string{jsonAPI, plainJSON} {
		headers[mediaType] = http.Header{
			"Accept":         {mediaType},
			"Content-Type":   {mediaType},
			"X-Okapi-Tenant": {tenant},
			"X-Okapi-Token":  {token},
		}
	}
	return &systems{client: &http.Client{Transport: transport, Timeout: callSeconds}, url: url, headers: headers}
}

// carryOut makes the calls of a change, one after the other. An answer that is no success is an error.
func (s *systems) carryOut(ctx context.Context, change change) error {
	wanted := change.EHoldings
	path := "/eholdings/resources/" + wanted.ResourceID
	if wanted.Action == "remove" {
		_, err := s.send(ctx, http.MethodDelete, path, nil, jsonAPI)
		return err
	}
	answer, err := s.send(ctx, http.MethodGet, path, nil, jsonAPI)
	if err != nil {
		return err
	}
	var read resource
	if err := json.Unmarshal(answer, &read); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if _, err := s.send(ctx, http.MethodPut, path, putOf(read, wanted.Attributes), jsonAPI); err != nil {
		return err
	}
	found := read.Data.Attributes
	if wanted.Tags != nil && !sameTags(wanted.Tags, found.Tags.TagList) {
		content := document{documentData{"tags", tagAttributes{found.Name, tags{wanted.Tags}}}}
		if _, err := s.send(ctx, http.MethodPut, path+"/tags", content, jsonAPI); err != nil {
			return err
		}
	}
	if change.Inventory != nil {
		_, err := s.send(ctx, http.MethodPut, "/shared-inventory-upsert-matchkey", change.Inventory.sharedSet(), plainJSON)
		return err
	}
	return nil
}

// putOf sends what a PUT would clear as it was read.
func putOf(read resource, patch attributes) document {
	found := read.Data.Attributes
	sent := attributes{
		"isSelected":          found.IsSelected,
		"customCoverages":     found.CustomCoverages,
		"customEmbargoPeriod": found.CustomEmbargoPeriod,
	}
	maps.Copy(sent, patch)
	return document{documentData{"resources", sent}}
}

// sameTags knows no order and counts no tag twice.
func sameTags(one, other []string) bool {
	return subset(one, other) && subset(other, one)
}

func subset(one, other []string) bool {
	return !slices.ContainsFunc(one, func(tag string) bool { return !slices.Contains(other, tag) })
}

// send returns the body of the answer; content is sent as JSON unless it is nil.
func (s *systems) send(ctx context.Context, method, path string, content any, mediaType string) ([]byte, error) {
	var body io.Reader
	if content != nil {
		encoded, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return nil, err
	}
	request.Header = s.headers[mediaType]
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	// To its end, so that the connection is kept.
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return answer, nil
}
