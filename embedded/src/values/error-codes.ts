/** Names of the server's error codes that this engine sends (src/mongo/base/error_codes.yml); others are called Location<code>. */
export const CODE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'InternalError'], [2, 'BadValue'], [5, 'GraphContainsCycle'], [6, 'HostUnreachable'], [8, 'UnknownError'], [9, 'FailedToParse'],
  [10, 'CannotMutateObject'], [11, 'UserNotFound'], [13, 'Unauthorized'], [14, 'TypeMismatch'], [15, 'Overflow'], [16, 'InvalidLength'],
  [17, 'ProtocolError'], [18, 'AuthenticationFailed'], [20, 'IllegalOperation'], [22, 'InvalidBSON'], [26, 'NamespaceNotFound'],
  [27, 'IndexNotFound'], [28, 'PathNotViable'], [40, 'ConflictingUpdateOperators'], [43, 'CursorNotFound'], [46, 'LockBusy'],
  [48, 'NamespaceExists'], [50, 'MaxTimeMSExpired'], [52, 'DollarPrefixedFieldName'], [53, 'InvalidIdField'], [54, 'NotSingleValueField'],
  [55, 'InvalidDBRef'], [56, 'EmptyFieldName'], [57, 'DottedFieldName'], [59, 'CommandNotFound'], [61, 'ShardKeyNotFound'],
  [66, 'ImmutableField'], [67, 'CannotCreateIndex'], [68, 'IndexAlreadyExists'], [72, 'InvalidOptions'], [73, 'InvalidNamespace'],
  [76, 'NoReplicationEnabled'], [79, 'UnknownReplWriteConcern'], [85, 'IndexOptionsConflict'], [86, 'IndexKeySpecsConflict'],
  [91, 'ShutdownInProgress'], [96, 'OperationFailed'], [100, 'UnsatisfiableWriteConcern'], [112, 'WriteConflict'], [115, 'CommandNotSupported'],
  [117, 'ConflictingOperationInProgress'], [121, 'DocumentValidationFailure'], [125, 'CommandFailed'], [136, 'CappedPositionLost'],
  [145, 'CloneAlreadyExists'], [146, 'ExceededMemoryLimit'], [158, 'ViewDepthLimitExceeded'], [165, 'ViewPipelineMaxSizeExceeded'], [166, 'CommandNotSupportedOnView'],
  [167, 'OptionNotSupportedOnView'], [168, 'InvalidPipelineOperator'], [171, 'CannotIndexParallelArrays'], [173, 'CloseChangeStream'],
  [179, 'SessionTransferIncomplete'], [197, 'InvalidIndexSpecificationOption'], [206, 'NoSuchSession'], [211, 'KeyNotFound'], [217, 'IncompleteTransactionHistory'],
  [222, 'CloseChangeStream'], [224, 'QueryExceededMemoryLimitNoDiskUseAllowed'], [225, 'TransactionTooOld'], [237, 'CursorKilled'],
  [239, 'SnapshotTooOld'], [241, 'ConversionFailure'], [244, 'TransactionAborted'], [246, 'SnapshotUnavailable'], [248, 'OversizeTransaction'],
  [251, 'NoSuchTransaction'], [256, 'TransactionCommitted'], [257, 'TransactionTooLarge'], [260, 'InvalidResumeToken'],
  [263, 'OperationNotSupportedInTransaction'], [267, 'PreparedTransactionInProgress'], [276, 'IndexBuildAborted'], [280, 'ChangeStreamFatalError'],
  [286, 'ChangeStreamHistoryLost'], [290, 'TransactionExceededLifetimeLimitSeconds'], [292, 'QueryExceededMemoryLimitNoDiskUseAllowed'],
  [10003, 'CannotGrowDocumentInCappedNamespace'], [322, 'APIVersionError'], [323, 'APIStrictError'], [352, 'UnsupportedOpQueryCommand'], [10107, 'NotWritablePrimary'], [10334, 'BSONObjectTooLarge'],
  [11000, 'DuplicateKey'], [11600, 'InterruptedAtShutdown'], [11601, 'Interrupted'], [11602, 'InterruptedDueToReplStateChange'],
  [12051, 'CursorInUse'], [13436, 'NotPrimaryOrSecondary'], [17280, 'KeyTooLong']
])
