// Package declared knows what is declared of each tenant, by the configuration file and through the API, and is the one
// place where that changes.
//
// What the file declares is the operator's: it is read, never written, and whatever the API declares besides is added to
// it. A tenant that the file does not mention belongs to the API with all it has. What the API declares is kept in a folder,
// one document for each tenant, in the words of the configuration.
//
// Promises:
//   - A change that has been answered is on disk, and in force. One that is refused has changed nothing.
//   - Changes come one after the other; what is read meanwhile is how it was before or after one of them, never in between.
//   - A change costs what the tenant costs that it is about, however many others there are.
//   - What is handed out is not changed any more, and is not to be changed by others.
package declared
