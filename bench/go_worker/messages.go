package main

import "encoding/json"

// event is what is read of a CloudEvent of the type holdings.changed.
type event struct {
	ID   string `json:"id"`
	Data change `json:"data"`
}

type change struct {
	EHoldings eholdings  `json:"eholdings"`
	Inventory *inventory `json:"inventory"`
}

type eholdings struct {
	Action     string     `json:"action"`
	ResourceID string     `json:"resourceId"`
	Attributes attributes `json:"attributes"`
	// Tags is nil where they are to stay as they are.
	Tags []string `json:"tags"`
}

// attributes of a resource that are only passed on.
type attributes map[string]json.RawMessage

type inventory struct {
	Instance         json.RawMessage `json:"instance"`
	HoldingsRecords  json.RawMessage `json:"holdingsRecords"`
	InstitutionID    string          `json:"institutionId"`
	LocalIdentifier  string          `json:"localIdentifier"`
	IdentifierTypeID string          `json:"identifierTypeId"`
}

// resource is what is read of the answer to a GET.
type resource struct {
	Data struct {
		Attributes struct {
			Name                string          `json:"name"`
			IsSelected          json.RawMessage `json:"isSelected"`
			CustomCoverages     json.RawMessage `json:"customCoverages"`
			CustomEmbargoPeriod json.RawMessage `json:"customEmbargoPeriod"`
			Tags                tags            `json:"tags"`
		} `json:"attributes"`
	} `json:"data"`
}

type tags struct {
	TagList []string `json:"tagList"`
}

// document is one of JSON:API.
type document struct {
	Data documentData `json:"data"`
}

type documentData struct {
	Type       string `json:"type"`
	Attributes any    `json:"attributes"`
}

type tagAttributes struct {
	Name string `json:"name"`
	Tags tags   `json:"tags"`
}

type sharedSet struct {
	Instance        json.RawMessage `json:"instance"`
	HoldingsRecords json.RawMessage `json:"holdingsRecords"`
	Processing      processing      `json:"processing"`
}

type processing struct {
	InstitutionID    string          `json:"institutionId"`
	LocalIdentifier  string          `json:"localIdentifier"`
	IdentifierTypeID string          `json:"identifierTypeId"`
	Item             json.RawMessage `json:"item"`
}

type result struct {
	ID   string     `json:"id"`
	Data resultData `json:"data"`
}

type resultData struct {
	Event   resultEvent `json:"event"`
	Outcome string      `json:"outcome"`
}

type resultEvent struct {
	ID string `json:"id"`
}

func resultOf(eventID string) result {
	return result{ID: eventID, Data: resultData{Event: resultEvent{ID: eventID}, Outcome: "succeeded"}}
}

var retainItems = json.RawMessage(`{"status":{"policy":"retain"}}`)

func (i *inventory) sharedSet() sharedSet {
	return sharedSet{
		Instance:        i.Instance,
		HoldingsRecords: i.HoldingsRecords,
		Processing: processing{
			InstitutionID:    i.InstitutionID,
			LocalIdentifier:  i.LocalIdentifier,
			IdentifierTypeID: i.IdentifierTypeID,
			Item:             retainItems,
		},
	}
}
