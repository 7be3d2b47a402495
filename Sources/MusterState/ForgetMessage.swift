/// What the authority signs to declare a node gone: the purpose, a zero byte, the cluster and the
/// node. The purpose keeps the signature from meaning anything else.
package func forgetMessage(cluster: ClusterID, node: NodeID) -> [UInt8] {
  Array("muster forget v1".utf8) + [0] + cluster.bytes.bytes + node.bytes.bytes
}
