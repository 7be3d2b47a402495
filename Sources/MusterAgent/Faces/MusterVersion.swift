/// The version of this program, in `muster version`, in the member record and in `/metrics`.
package enum MusterVersion {
  package static let current = "0.1.0"
  /// The wire protocol that it speaks: the directory below `proto/`.
  package static let wire = "muster/v1"
}
