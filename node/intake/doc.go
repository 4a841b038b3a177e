// Package intake carries out imports as jobs: of files that people send, and of repositories that are harvested, by hand or by the clock.
//
// A job's file lies in the intake's folder (JOB.spool: what was sent, or what was harvested as JSON Lines), and beside it the job's report
// (JOB.report: a line of JSON for every row of the file, in their order). The file is read in groups of 256 rows. A row that cannot be read or
// mapped is refused in the report, and the others go on.
//
// A job is at one place, and that place is durable: how many rows of the file its report covers, how long the report is, and how many rows came
// to which end. That checkpoint is written in the transaction that finishes the listings themselves (posting.Import), after the report was
// synced. So whenever the node is killed, the next start cuts the report to the checkpoint, reads the file from its beginning past the rows that
// are done, and goes on; nothing is done twice, and the counts are exact.
//
// A harvest fetches first, page by page, with the resumption token as its checkpoint, and imports then. Where the next one begins is set in the
// transaction that finishes the job, by the repository's own clock; where records were refused for what is here (a draft that people are at), it
// stays where it was, so that they come again. After a change of the mapping, and every 30 days, everything is harvested.
//
// Nothing is withdrawn unless the job was asked for a full synchronisation, or the repository says of a record that it is deleted; and never by
// a job that was cancelled or failed, nor, in a full synchronisation, where the id of a row could not be read. Where more than ten listings and more than a quarter
// of what came from the same origin would go, the job waits until somebody confirms that number.
//
// Two listings are the same where organisation and source id are. In a file the second row of one id is refused; in a repository a record that
// comes again under its own identifier was changed during the harvest, and counts.
//
// What a job does it does with the rights that the person who started it has at that moment, asked for every group.
//
// Rows of store.TableIntake: "j/" job: the job with its checkpoint; "u/" job: organisation, of those that are not finished; "o/" organisation "/"
// and the job's id with every digit turned round, so that the newest comes first; "t/" job: its mapping, as it was when the job began; "g/" job:
// the listings that it is just withdrawing; "c/" job: somebody cancelled it while it ran; "m/" organisation "/" name: a mapping; "r/"
// organisation "/" name: a repository. A job's id begins with its time, so that ids are in order of time.
package intake
